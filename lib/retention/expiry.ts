/**
 * Which objects of a stream are old enough to be deleted.
 *
 * @module
 */
import type { DatedName } from "../log/bucket_log.ts";
import { reachOf } from "../log/names.ts";

/** The newest commit of a stream is kept so many times as long: it tells how far the stream reaches. */
const NEWEST_LIVES = 2;

/**
 * What a server waits for, since it lacks the key or is too old for the format, is not deleted by it before
 * it is so many times as old as others become. After that it is given up, which is an error.
 */
export const LOCKED_LIVES = 10;

/** How old objects become. */
export interface ExpiryOptions {
  /** The store's time, in milliseconds since 1970. */
  readonly now: number;
  /** How old objects become, in milliseconds. */
  readonly maxAge: number;
}

/**
 * The objects of one stream that may go: from the oldest on, up to the first that is younger than its
 * `maxAge` allows or of unknown age, so that what remains has no hole.
 */
export function expiredObjects(
  objects: readonly DatedName[],
  { now, maxAge }: ExpiryOptions,
): DatedName[] {
  const sorted = objects.toSorted((a, b) => a.last - b.last);
  const newest = reachOf(sorted.filter(({ kind }) => kind === "tail"));
  const young = sorted.findIndex(({ kind, last, lastModified }) => {
    const isNewest = kind === "tail" && last === newest;
    const lives = isNewest ? NEWEST_LIVES : 1;
    return lastModified === undefined || now - lastModified <= lives * maxAge;
  });
  return young === -1 ? sorted : sorted.slice(0, young);
}

/** Whether an object that this server cannot read for want of a key or an upgrade has waited long enough. */
export function isGivenUp(
  { lastModified }: Pick<DatedName, "lastModified">,
  { now, maxAge }: ExpiryOptions,
): boolean {
  return lastModified !== undefined && now - lastModified > LOCKED_LIVES * maxAge;
}
