/**
 * Which objects of a stream are old enough to be deleted.
 *
 * @module
 */
import type { DatedName } from "../log/bucket_log.ts";
import { reachOf } from "../log/names.ts";

/** Factor on `maxAge` for the newest commit of a stream, which shows how far the stream reaches. */
const NEWEST_LIVES = 2;

/**
 * Factor on `maxAge` for objects that this server cannot read yet, since it lacks the key or is too
 * old for the format. After that they are given up, which is logged as an error.
 */
export const LOCKED_LIVES = 10;

/** Options of {@linkcode expiredObjects}. */
export interface ExpiryOptions {
  /** The store's time, in milliseconds since 1970. */
  readonly now: number;
  /** Age from which objects expire, in milliseconds. */
  readonly maxAge: number;
  /** The seq after which this server cannot read the stream. @default it can read all of it */
  readonly lockedAfter?: number | undefined;
}

/**
 * The expired objects of one stream: from the oldest up to the first that is too young or of
 * unknown age, so that the remaining objects have no hole.
 */
export function expiredObjects(
  objects: readonly DatedName[],
  { now, maxAge, lockedAfter = Infinity }: ExpiryOptions,
): DatedName[] {
  const sorted = objects.toSorted((a, b) => a.last - b.last);
  const newest = reachOf(sorted.filter(({ kind }) => kind === "tail"));
  const young = sorted.findIndex(({ kind, last, lastModified }) => {
    const isNewest = kind === "tail" && last === newest;
    const lives = last > lockedAfter ? LOCKED_LIVES : isNewest ? NEWEST_LIVES : 1;
    return lastModified === undefined || now - lastModified <= lives * maxAge;
  });
  return young === -1 ? sorted : sorted.slice(0, young);
}
