/**
 * Runs the plugin `log` on the options, updates and gaps given as JSON on standard input,
 * all of them at once. A process of its own, since the plugin prints on standard output.
 *
 * @module
 */
import log from "../../plugins/log.ts";
import type { Gap, Update } from "../../lib/update.ts";
import { start } from "./harness.ts";

const { options, updates = [], gaps = [] }: {
  options: unknown;
  updates?: Update[];
  gaps?: Gap[];
} = JSON.parse(await new Response(Deno.stdin.readable).text());

await using plugin = await start(log, options);
await Promise.all([
  ...updates.map((update) => plugin.update(update)),
  ...gaps.map((gap) => plugin.gap(gap)),
]);
