/**
 * The fuzz: hostile objects, keys, messages, configurations and buckets.
 *
 * ```text
 * deno task fuzz [--seconds N] [--only NAME [--seed S --path P]]
 * ```
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { check, PROPERTIES } from "./run.ts";

const { seconds = "120", only, seed, path } = parseArgs(Deno.args, {
  string: ["seconds", "only", "seed", "path"],
});
let total = 0;
for (const property of PROPERTIES) {
  if (only !== undefined && property.name !== only) continue;
  const cases = await check(property, {
    seconds: Number(seconds),
    seed: seed === undefined ? undefined : Number(seed),
    path: path as string | undefined,
  });
  console.log(`${property.name}: ${cases} cases`);
  total += cases;
}
console.log(`${total} cases, none failed`);
