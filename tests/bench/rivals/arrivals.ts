/**
 * What a subscriber has got.
 *
 * @module
 */
import { now } from "./clock.ts";
import type { Sample } from "./contender.ts";

/** Updates that came one after the other: the first, and the last. */
export type Range = readonly [first: number, last: number];

/** What a subscriber tells when it has got the last update of a batch. */
export interface Report {
  /** All that it has got since it told that the last time, in the order in which it came. */
  readonly ranges: readonly Range[];
  /** Position of the last update. */
  readonly last: number;
  /** When that was published. */
  readonly published: number;
  /** When it was applied. */
  readonly applied: number;
}

/** Notes what comes. */
export class Arrivals {
  #ranges: [number, number][] = [];

  /** Notes an update; returns a report when it is the last of a batch. */
  note({ metadata: { n, at, isLast } }: Sample): Report | undefined {
    const applied = now();
    const range = this.#ranges.at(-1);
    if (range && n === range[1] + 1) range[1] = n;
    else this.#ranges.push([n, n]);
    if (!isLast) return undefined;
    const ranges = this.#ranges;
    this.#ranges = [];
    return { ranges, last: n, published: at, applied };
  }
}

/** How many different updates are in the ranges. */
export function countOf(ranges: readonly Range[]): number {
  let count = 0, end = 0;
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    count += Math.max(0, last - Math.max(end, first - 1));
    end = Math.max(end, last);
  }
  return count;
}
