/**
 * Measuring.
 *
 * @module
 */
import type { RequestCounts } from "@feedsync/feedsync";

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value that so many of a hundred do not exceed. */
export function percentile(percent: number, values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * percent / 100) - 1)];
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Reads to the end, and tells how many there were. */
export async function drain(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of items) count++;
  return count;
}

/** How often operations run in {@linkcode interleave}. */
export interface Rounds {
  /** How often all of them have their turn. */
  readonly rounds: number;
  /** Turns before those, not counted. */
  readonly warmUp: number;
  /** How often an operation runs when it has its turn. @default 1 */
  readonly block?: number;
}

/**
 * Runs operations by turns, so that what changes on the machine meanwhile meets all of them alike;
 * returns the median of what each resolves to.
 */
export async function interleave<Name extends string>(
  operations: Readonly<Record<Name, () => Promise<number>>>,
  { rounds, warmUp, block = 1 }: Rounds,
): Promise<Readonly<Record<Name, number>>> {
  const turns = Object.entries<() => Promise<number>>(operations)
    .map(([name, operation]) => ({ name, operation, results: [] as number[] }));
  for (let round = 1 - warmUp; round <= rounds; round++) {
    for (const { operation, results } of turns) {
      for (let i = 0; i < block; i++) {
        const result = await operation();
        if (round > 0) results.push(result);
      }
    }
  }
  const medians = turns.map(({ name, results }) => [name, median(results)]);
  return Object.fromEntries(medians) as Record<Name, number>;
}

/** How many requests were added to `requests` during `work`. */
export async function counted(
  requests: Readonly<RequestCounts>,
  work: () => Promise<unknown>,
): Promise<RequestCounts> {
  const before = { ...requests };
  await work();
  return {
    put: requests.put - before.put,
    get: requests.get - before.get,
    list: requests.list - before.list,
    delete: requests.delete - before.delete,
  };
}
