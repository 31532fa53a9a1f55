/**
 * Simulates every `--step`th seed from `--from` on, `--count` of them, each with more of what is
 * named by `--focus`, and prints what became of each as a line of JSON. The part of a campaign that
 * one process does.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { WorldName } from "./campaign.ts";
import { fleetNamesOf } from "./fleet/mix.ts";
import { runFleetSeed } from "./fleet/run_seed.ts";
import { namesOf } from "./mix.ts";
import { runSeed } from "./run_seed.ts";

/** Simulates one seed. */
export function simulateSeed(
  world: WorldName,
  { seed, focus, trace }: {
    readonly seed: number;
    readonly focus?: readonly string[] | undefined;
    readonly trace?: (line: string) => void;
  },
) {
  return world === "fleet"
    ? runFleetSeed(seed, { focus: fleetNamesOf(focus), trace })
    : runSeed(seed, { focus: namesOf(focus), trace });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      world: { type: "string", default: "log" },
      from: { type: "string", default: "1" },
      count: { type: "string", default: "100" },
      step: { type: "string", default: "1" },
      focus: { type: "string", multiple: true },
      "stop-at-violation": { type: "boolean", default: false },
    },
  });
  const [from, count, step] = [values.from, values.count, values.step].map(Number);
  for (let done = 0; done < count; done++) {
    const outcome = await simulateSeed(values.world as WorldName, {
      seed: from + done * step,
      focus: values.focus,
    });
    console.log(JSON.stringify(outcome));
    if (outcome.violation && values["stop-at-violation"]) break;
  }
}
