/**
 * What a server knows of the presences that it has written: a write that failed may have happened,
 * and times may be those of a clock that was wrong.
 *
 * @module
 */
import type { PresenceName } from "../log/fleet/names.ts";
import type { WrittenPresence } from "../state/fleet.ts";

/** Number of former presences that are remembered until they are deleted. */
const MAX_LEFT = 16;

/** What is known once the presence `name` may be written: if that fails, it must be deleted. */
export function attempted(
  presence: WrittenPresence | undefined,
  name: PresenceName,
): WrittenPresence {
  const { key: former = "", written = [], keptAt = 0, left = [] } = presence ?? {};
  const isKnown = former === name.key || left.includes(name.key);
  const all = isKnown ? left : [...left, name.key].slice(-MAX_LEFT);
  return { key: former, writer: writerOf(presence, name), written, keptAt, left: all };
}

/** Who writes the next presence: a `watch` may have begun while this one was under way. */
export function writerOf(
  presence: WrittenPresence | undefined,
  { writer }: PresenceName,
): string {
  return presence?.writer ?? writer;
}

/** Keys of presences that may be there beside the one at `key`. */
export function keysLeft(presence: WrittenPresence | undefined, key: string): string[] {
  const keys = new Set([presence?.key ?? "", ...presence?.left ?? []]);
  return [...keys].filter((former) => former !== "" && former !== key);
}

/** Whether that was less than `ms` ago. A time that is as far ahead is that of a wrong clock. */
export function isWithin(
  ms: number,
  { since = 0, now }: { readonly since: number | undefined; readonly now: number },
): boolean {
  return Math.abs(now - since) < ms;
}

/** When the presence was written before `now`; later times are those of a clock that was wrong. */
export function writtenBefore(
  presence: WrittenPresence | undefined,
  now: number,
): number[] {
  return (presence?.written ?? []).filter((time) => time <= now);
}
