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

/** How long to wait for an unreadable object if updates are kept for ever. */
const DAY_MS = 24 * 60 * 60 * 1000;

/** How long to wait for an unreadable object before it is given up, in milliseconds. */
export function patienceOf({ retention }: { readonly retention: number | false }): number {
  return retention === false ? DAY_MS : retention;
}

/** How old objects become. */
export interface ExpiryOptions {
  /** The store's time, in milliseconds since 1970. */
  readonly now: number;
  /** Age from which objects expire, in milliseconds. */
  readonly maxAge: number;
}

/**
 * The expired objects of one stream: from the oldest up to the first that is too young or of
 * unknown age, so that the remaining objects have no hole.
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

/**
 * Whether an object for which this server lacks a key or an upgrade is old enough to be given up.
 */
export function isGivenUp(
  { lastModified }: Pick<DatedName, "lastModified">,
  { now, maxAge }: ExpiryOptions,
): boolean {
  return lastModified !== undefined && now - lastModified > LOCKED_LIVES * maxAge;
}
