/**
 * Simulates every `--step`th seed from `--from` on, `--count` of them, each with more of what is
 * named by `--focus`, and prints what became of each as a line of JSON. The part of a campaign that one process does.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { namesOf } from "./mix.ts";
import { runSeed } from "./run_seed.ts";

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      from: { type: "string", default: "1" },
      count: { type: "string", default: "100" },
      step: { type: "string", default: "1" },
      focus: { type: "string", multiple: true },
      "stop-at-violation": { type: "boolean", default: false },
    },
  });
  const [from, count, step] = [values.from, values.count, values.step].map(Number);
  for (let done = 0; done < count; done++) {
    const outcome = await runSeed(from + done * step, { focus: namesOf(values.focus) });
    console.log(JSON.stringify(outcome));
    if (outcome.violation && values["stop-at-violation"]) break;
  }
}
