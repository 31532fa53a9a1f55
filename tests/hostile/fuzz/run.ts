/**
 * Checks properties for a while.
 *
 * @module
 */
import fc from "fast-check";
import { buckets } from "./buckets.ts";
import {
  configurations,
  events,
  keys,
  messages,
  newest,
  objects,
  type Property,
} from "./properties.ts";

/** All of them. */
export const PROPERTIES: readonly Property[] = [
  objects,
  newest,
  keys,
  messages,
  events,
  configurations,
  buckets,
];

/** How long, or which case. */
export interface FuzzOptions {
  /** For all properties together. */
  readonly seconds: number;
  /** As a failure has told it. */
  readonly seed?: number;
  /** As a failure has told it. */
  readonly path?: string;
}

/** So many cases are checked between two looks at the clock. */
const BATCH = 10;

/**
 * Checks a property for its share of the time; resolves to how many cases that were.
 *
 * @throws {Error} with seed and path of the case that fails, made as small as could be.
 */
export async function check(
  { name, share, open }: Property,
  { seconds, seed, path }: FuzzOptions,
): Promise<number> {
  const shares = PROPERTIES.reduce((sum, { share }) => sum + share, 0);
  const end = performance.now() + seconds * 1000 * share / shares;
  await using opened = await open();
  let cases = 0;
  do {
    const details = await fc.check(opened.property, { seed, path, numRuns: BATCH });
    if (details.failed) {
      throw new Error(
        `${await fc.asyncDefaultReportMessage(details)}\n\nReplay: deno task fuzz --only ${name} ` +
          `--seed ${details.seed} --path ${details.counterexamplePath}`,
      );
    }
    cases += details.numRuns;
  } while (seed === undefined && performance.now() < end);
  return cases;
}
