import { checkArrived } from "./arrival_checks.ts";
import { checkComplete } from "./completeness_checks.ts";
import { ENCRYPTED_SEEDS, Encryption } from "./encryption.ts";
import { settle } from "./settle.ts";
import { HAPPENINGS } from "./happenings.ts";
import { Death } from "./process_environment.ts";
import type { Coverage } from "./coverage.ts";
import { World, type WorldOptions } from "./world.ts";

/** So many steps at least are made in the time of faults. */
export const FAULTY_STEPS = 500;

/** What became of a seed. */
export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  /** The promise that was broken, if any. */
  readonly violation: string | undefined;
  /** How many updates were found to be outside of the promise. */
  readonly outside: number;
  readonly coverage: Coverage;
}

/** Simulates one seed: first all goes wrong, then nothing any more, and everything must arrive. */
export async function runSeed(seed: number, options: WorldOptions = {}): Promise<Outcome> {
  const encryption = seed % ENCRYPTED_SEEDS === 0 ? await Encryption.make() : undefined;
  const world = new World(seed, { ...options, encryption });
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    if (event.reason instanceof Death) return;
    world.fail(
      `Nobody handles ${event.reason instanceof Error ? event.reason.stack : event.reason}`,
    );
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  try {
    scheduleHappening(world, [...world.mix.absences]);
    while (!world.violation && world.timeline.steps < FAULTY_STEPS) await world.timeline.step();
    if (!world.violation) await settle(world);
    if (!world.violation) checkArrived(world);
    if (!world.violation) checkComplete(world);
    const { timeline: { steps }, violation, ledger, coverage } = world;
    return { seed, steps, violation, outside: ledger.outside, coverage };
  } finally {
    world.end();
    globalThis.removeEventListener("unhandledrejection", onRejection);
  }
}

function scheduleHappening(world: World, absences: number[], lasts = 0): void {
  const { chance, mix, timeline } = world;
  timeline.after(lasts + chance.between(0, chance.pick(mix.gaps)), () => {
    if (timeline.steps > FAULTY_STEPS) return;
    const isAbsence = timeline.steps >= (absences.at(-1) ?? Infinity);
    if (isAbsence) absences.pop();
    const took = HAPPENINGS[isAbsence ? "allAway" : chance.weighted(mix.events)](world);
    scheduleHappening(world, absences, typeof took === "number" ? took : 0);
  });
}
