import type { Environment } from "../../lib/base/environment.ts";
import type { Chance } from "./chance.ts";
import type { Timeline } from "./timeline.ts";

/** Unwinds what a process was doing when it died. */
export class Death extends Error {}

/** A process as far as its clock is concerned. */
interface Timed {
  readonly world: { readonly timeline: Timeline; readonly chance: Chance };
  readonly server: { readonly clockError: number };
  readonly alive: boolean;
  fail(violation: string): void;
}

/** The clock and the chance of a process; no timer fires once it is dead. */
export function environmentOf(process: Timed): Environment {
  const { world: { timeline, chance }, server } = process;
  const run = (callback: () => void) => {
    try {
      if (process.alive) callback();
    } catch (error) {
      if (!(error instanceof Death)) process.fail(`A timer threw ${error}`);
    }
  };
  return {
    random: chance,
    clock: {
      now: () => Math.floor(timeline.now + server.clockError),
      elapsed: () => timeline.now,
      setTimer: (ms, callback) => timeline.after(ms, () => run(callback)),
    },
  };
}
