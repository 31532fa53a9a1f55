/**
 * Names of the objects that hold the newest update of a feed: `newest/<hash>/<time>.<id>`, or
 * `newest/<hash>/<time>.<id>.removed` when the feed is gone. The objects with one hash form a
 * group. Their keys sort like the updates.
 *
 * @module
 */
import type { ObjectInfo } from "../../stores/store.ts";
import type { KeyedObject } from "../names.ts";
import { compareUpdates, isPlausible, type OrderedUpdate } from "../update_order.ts";

/** Prefix of all these keys. */
export const NEWEST_PREFIX = "newest/";

/** The parts of a key. */
export interface NewestName extends KeyedObject, OrderedUpdate {
  /** Hash of the feed's URL: 32 hex characters. */
  readonly hash: string;
  /** Whether the update says that the feed is gone. */
  readonly isRemoved: boolean;
}

/** A name, with the size and age of the object as the store reports them. */
export interface DatedNewest extends NewestName, ObjectInfo {}

const KEY =
  /^newest\/([0-9a-f]{32})\/(\d{16})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\.removed)?$/;

/** Reads a key; `undefined` when it is foreign. */
export function parseNewestKey(key: string): NewestName | undefined {
  const match = KEY.exec(key);
  if (!match) return undefined;
  const [, hash, timeText, id, removed] = match;
  const time = Number(timeText);
  if (!Number.isSafeInteger(time)) return undefined;
  return { key, hash, time, id, isRemoved: removed !== undefined };
}

/**
 * Makes the name of an object.
 *
 * @throws {RangeError} when the time is invalid; {@linkcode isPlausible} is false for it.
 */
export function newestName(parts: Omit<NewestName, "key">): NewestName {
  const { hash, time, id, isRemoved } = parts;
  if (!Number.isSafeInteger(time) || time < 0) {
    throw new RangeError(
      `Cannot name the newest update of a feed: 'time' must be milliseconds since 1970, not ${time}`,
    );
  }
  const digits = String(time).padStart(16, "0");
  return { ...parts, key: `${groupPrefix(hash)}${digits}.${id}${isRemoved ? ".removed" : ""}` };
}

/** Prefix of the keys of the group with this hash. */
export function groupPrefix(hash: string): string {
  return `${NEWEST_PREFIX}${hash}/`;
}

/** Compares two names of a group: negative when `b` is newer. */
export function compareNewest(a: NewestName, b: NewestName): number {
  return compareUpdates(a, b) || Number(a.isRemoved) - Number(b.isRemoved);
}

/**
 * Whether the time of a name was plausible when its object was written. If the store does not
 * report when that was, `now` counts, by the store's clock.
 */
export function hasPlausibleTime({ time, lastModified }: DatedNewest, now: number): boolean {
  return isPlausible(time, lastModified ?? now);
}

/** The names of a group with a plausible time, the newest first. */
export function newestFirst(names: readonly DatedNewest[], now: number): DatedNewest[] {
  return names.filter((name) => hasPlausibleTime(name, now)).sort((a, b) => compareNewest(b, a));
}

/** The greatest name of a group with a plausible time, that of its newest update. */
export function greatestOf(names: Iterable<DatedNewest>, now: number): DatedNewest | undefined {
  let greatest: DatedNewest | undefined;
  for (const name of names) {
    if (!hasPlausibleTime(name, now)) continue;
    if (!greatest || compareNewest(greatest, name) < 0) greatest = name;
  }
  return greatest;
}
