/**
 * Names of the objects that tell servers of each other: presences, lists of feeds, and what was
 * checked.
 *
 * ```text
 * present/<stream>/<writer>.<interval>.<weight>.<list>    a running server
 * lists/<digest>                                          the feeds that servers take turns with
 * checks/<server>/<part>                                  what a server has checked of late
 * ```
 *
 * @module
 */
import type { ObjectInfo } from "../../stores/store.ts";
import { isStream, type KeyedObject, serverOf } from "../names.ts";

/** Prefixes of these keys. */
export const PRESENT_PREFIX = "present/", LISTS_PREFIX = "lists/", CHECKS_PREFIX = "checks/";

/** The parts of the key of a presence: all that other servers need to take turns with it. */
export interface PresenceName extends KeyedObject {
  /** Name of the server. */
  readonly server: string;
  /** The stream that it publishes to. */
  readonly stream: string;
  /** Identifies the process, `[a-z2-7]{8}`: copies of a machine have the same stream. */
  readonly writer: string;
  /** Delay after which it is written again, in seconds. */
  readonly interval: number;
  /** Share of the feeds that the server takes, in relation to others; from 1 to 1000. */
  readonly weight: number;
  /** Digest of the list of feeds that it takes turns with; absent when it takes none. */
  readonly list: string | undefined;
}

/** A presence, with its age as the store reports it. */
export interface DatedPresence extends PresenceName, ObjectInfo {}

const PRESENCE =
  /^present\/([a-z0-9._-]+)\/([a-z2-7]{8})\.([1-9]\d{0,6})\.([1-9]\d{0,3})\.([0-9a-f]{32}|-)$/;

const LIST = /^lists\/([0-9a-f]{32})$/;

const CHECKS = /^checks\/([a-z0-9][a-z0-9.-]{0,62})\/(\d{4})$/;

/** Reads the key of a presence; undefined when it is foreign. */
export function parsePresenceKey(key: string): PresenceName | undefined {
  const match = PRESENCE.exec(key);
  if (!match || !isStream(match[1])) return undefined;
  const [, stream, writer, interval, weight, list] = match;
  return {
    key,
    server: serverOf(stream),
    stream,
    writer,
    interval: Number(interval),
    weight: Number(weight),
    list: list === "-" ? undefined : list,
  };
}

/** Makes the name of a presence. */
export function presenceName(parts: Omit<PresenceName, "key" | "server">): PresenceName {
  const { stream, writer, interval, weight, list } = parts;
  const key = `${PRESENT_PREFIX}${stream}/${writer}.${interval}.${weight}.${list ?? "-"}`;
  return { ...parts, key, server: serverOf(stream) };
}

/** The key of the list with this digest. */
export function listKey(digest: string): string {
  return `${LISTS_PREFIX}${digest}`;
}

/** Reads the digest in the key of a list; undefined when the key is foreign. */
export function digestIn(key: string): string | undefined {
  return LIST.exec(key)?.[1];
}

/** The key of a part, from 0, of what a server has checked. */
export function checksKey(server: string, part: number): string {
  return `${CHECKS_PREFIX}${server}/${String(part).padStart(4, "0")}`;
}

/** Reads the server and the part, from 0, in the key of checked feeds; undefined when it is foreign. */
export function parseChecksKey(
  key: string,
): { readonly server: string; readonly part: number } | undefined {
  const match = CHECKS.exec(key);
  return match ? { server: match[1], part: Number(match[2]) } : undefined;
}
