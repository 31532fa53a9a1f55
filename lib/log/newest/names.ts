/**
 * Names of the objects that hold the newest update of a feed, kept for good:
 * `newest/<hash>/<time>.<id>`, and `newest/<hash>/<time>.<id>.removed` when the feed is gone. The objects
 * of one feed are its group. Their keys sort as its updates do.
 *
 * @module
 */
import type { ObjectInfo } from "../../stores/store.ts";
import type { KeyedObject } from "../names.ts";
import { compareUpdates, isPlausible, type OrderedUpdate } from "../update_order.ts";

/** What all their keys begin with. */
export const NEWEST_PREFIX = "newest/";

/** What a key says. */
export interface NewestName extends KeyedObject, OrderedUpdate {
  /** Hash of the feed's URL: 32 hex characters. */
  readonly hash: string;
  /** Whether the update says that the feed is gone. */
  readonly isRemoved: boolean;
}

/** A name, and what the store tells of the object. */
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
 * @throws {RangeError} when no key can hold the time, which {@linkcode isPlausible} tells.
 */
export function newestName(parts: Omit<NewestName, "key">): NewestName {
  const { hash, time, id, isRemoved } = parts;
  if (!Number.isSafeInteger(time) || time < 0) {
    throw new RangeError(
      `Cannot name the newest update of a feed as 'time' must be milliseconds since 1970: ` +
        `current value is ${time}`,
    );
  }
  const digits = String(time).padStart(16, "0");
  return { ...parts, key: `${groupPrefix(hash)}${digits}.${id}${isRemoved ? ".removed" : ""}` };
}

/** What the keys of the group with this hash begin with. */
export function groupPrefix(hash: string): string {
  return `${NEWEST_PREFIX}${hash}/`;
}

/** Compares two names of a group: negative when `b` is newer. */
export function compareNewest(a: NewestName, b: NewestName): number {
  return compareUpdates(a, b) || Number(a.isRemoved) - Number(b.isRemoved);
}

/**
 * The greatest name of a group, in whatever order they come, which tells its newest update. One whose time
 * is not plausible when its object was written does not count; `now`, by the store's clock, stands for
 * when that was where the store does not tell. `undefined` when none counts.
 */
export function greatestOf(names: Iterable<DatedNewest>, now: number): DatedNewest | undefined {
  let greatest: DatedNewest | undefined;
  for (const name of names) {
    if (!isPlausible(name.time, name.lastModified ?? now)) continue;
    if (!greatest || compareNewest(greatest, name) < 0) greatest = name;
  }
  return greatest;
}
