import { runSeeds } from "./campaign.ts";
import type { Mutant } from "./mutants.ts";
import { MutatedTree } from "./mutated_tree.ts";

/** Where a mutant was caught, if it was. */
export interface Catch {
  readonly mutant: Mutant;
  /** Seeds that were simulated. */
  readonly seeds: number;
  readonly seed: number | undefined;
  readonly violation: string | undefined;
}

/** Simulates each mutant until a promise is broken, several at once; yields them as they are caught. */
export async function* hunt(
  mutants: readonly Mutant[],
  options: { from: number; seeds: number; workers: number },
): AsyncIterable<Catch> {
  const waiting = [...mutants];
  const running = new Map<Mutant, Promise<Catch>>();
  while (waiting.length > 0 || running.size > 0) {
    while (waiting.length > 0 && running.size < options.workers) {
      const mutant = waiting.shift()!;
      running.set(mutant, catchMutant(mutant, options));
    }
    const caught = await Promise.race(running.values());
    running.delete(caught.mutant);
    yield caught;
  }
}

async function catchMutant(
  mutant: Mutant,
  { from, seeds }: { from: number; seeds: number },
): Promise<Catch> {
  await using tree = await MutatedTree.make(mutant);
  const range = { from, count: seeds, step: 1, stopAtViolation: true };
  let simulated = 0;
  for await (const { seed, violation } of runSeeds(tree.root, { ...mutant, ...range })) {
    simulated++;
    if (violation) return { mutant, seeds: simulated, seed, violation };
  }
  return { mutant, seeds: simulated, seed: undefined, violation: undefined };
}
