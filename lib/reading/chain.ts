/**
 * Chooses which objects to read: commits and segments overlap, and all objects with a seq hold the
 * same update.
 *
 * @module
 */
import type { ObjectName } from "../log/names.ts";

/**
 * The objects to read from `cursor` on, without a hole; each is the one that reaches furthest.
 * Empty when none holds the update after `cursor`.
 */
export function chainFrom(names: readonly ObjectName[], cursor: number): ObjectName[] {
  const sorted = names.filter(({ last }) => last > cursor).sort((a, b) => a.first - b.first);
  const chain: ObjectName[] = [];
  let end = cursor, best: ObjectName | undefined;
  for (const name of sorted) {
    if (name.first > end + 1) {
      if (!best) break;
      chain.push(best);
      [end, best] = [best.last, undefined];
      if (name.first > end + 1) break;
    }
    if (name.last > (best?.last ?? end)) best = name;
  }
  if (best) chain.push(best);
  return chain;
}

/** The object with the lowest seq behind the hole that begins after `cursor`. */
export function behindHole(names: readonly ObjectName[], cursor: number): ObjectName | undefined {
  const behind = names.filter(({ first }) => first > cursor + 1);
  return behind.sort((a, b) => a.first - b.first || b.last - a.last)[0];
}

/** The lowest seq from which the objects hold every update up to the end of `newest`. */
export function contiguousStart(names: readonly ObjectName[], newest: ObjectName): number {
  let start: number = newest.first;
  for (const { first, last } of names.toSorted((a, b) => b.last - a.last || a.first - b.first)) {
    if (last > newest.last) continue;
    if (last < start - 1) break;
    start = Math.min(start, first);
  }
  return start;
}
