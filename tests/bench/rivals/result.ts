/**
 * What is found of each contender, and shown.
 *
 * @module
 */
import { median, percentile } from "../measure.ts";
import { align, format } from "../rows.ts";
import type { Contender } from "./contender.ts";
import type { Latencies } from "./measures.ts";

/** What was measured of a contender. */
export interface Measured extends Latencies {
  /** Updates a second. */
  readonly throughput: number;
  /** What a subscriber missed that was stopped. */
  readonly absence: string;
}

/** A contender, and what was measured, or why nothing was. */
export interface Result {
  /** The contender. */
  readonly contender: Pick<Contender, "name" | "accepted" | "reach">;
  /** What was found. */
  readonly found: Measured | string;
}

const HEAD = [
  "",
  "median",
  "99 %",
  "updates/s",
  "subscriber stopped",
  "accepted once in",
  "must be reachable",
];

/** The columns of words, and not of numbers. */
const WORDS: readonly number[] = [0, 4, 5, 6];

/** The results as a table. */
export function resultTable(results: readonly Result[]): string {
  return align([HEAD, ...results.map(cells)], WORDS);
}

function cells({ contender: { name, accepted, reach }, found }: Result): string[] {
  if (typeof found === "string") return [name, "", "", "", found, accepted, reach];
  const { applied, throughput, absence } = found;
  const times = [median(applied), percentile(99, applied)].map((ms) => `${format(ms)} ms`);
  return [name, ...times, format(throughput), absence, accepted, reach];
}
