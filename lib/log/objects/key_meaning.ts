/**
 * Tells what an object is by its key alone.
 *
 * @module
 */
import { digestIn, parseChecksKey, parsePresenceKey, type PresenceName } from "../fleet/names.ts";
import { MARKER_KEY, type ObjectName, parseKey, PROBE_KEY } from "../names.ts";
import { type NewestName, parseNewestKey } from "../newest/names.ts";

/** What an object is, as its key says: nothing in it has to agree. */
export type KeyMeaning =
  | { readonly kind: "commit" | "segment"; readonly name: ObjectName }
  | { readonly kind: "newest" | "tombstone"; readonly name: NewestName }
  | { readonly kind: "presence"; readonly name: PresenceName }
  | { readonly kind: "list"; readonly digest: string }
  | { readonly kind: "checks"; readonly server: string; readonly part: number }
  | { readonly kind: "marker" | "probe" | "foreign" };

/** Tells what the object at `key` is. */
export function meaningOf(key: string): KeyMeaning {
  if (key === MARKER_KEY) return { kind: "marker" };
  if (key === PROBE_KEY) return { kind: "probe" };
  const object = parseKey(key);
  if (object) return { kind: object.kind === "tail" ? "commit" : "segment", name: object };
  const newest = parseNewestKey(key);
  if (newest) return { kind: newest.isRemoved ? "tombstone" : "newest", name: newest };
  const presence = parsePresenceKey(key);
  if (presence) return { kind: "presence", name: presence };
  const digest = digestIn(key);
  if (digest !== undefined) return { kind: "list", digest };
  const checks = parseChecksKey(key);
  return checks ? { kind: "checks", ...checks } : { kind: "foreign" };
}
