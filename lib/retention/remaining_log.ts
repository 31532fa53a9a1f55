/**
 * The part of the log that remains after a cleanup, according to its own listing.
 *
 * @module
 */
import type { DatedName } from "../log/bucket_log.ts";
import { isPlausible } from "../log/update_order.ts";
import type { NewestRow } from "../state/newest.ts";

/** Maximum number of objects checked per update: carrying one too many is harmless. */
const MAX_CHECKED = 16;

/** The objects that are not deleted in this cleanup. */
export class RemainingLog {
  readonly #streams: ReadonlyMap<string, readonly DatedName[]>;
  readonly #going: ReadonlySet<string>;
  readonly #sorted = new Map<string, readonly DatedName[]>();
  readonly #now: number;

  /** Takes all listed objects, and the keys of those that are deleted. */
  constructor(
    streams: ReadonlyMap<string, readonly DatedName[]>,
    { going, now }: { readonly going: ReadonlySet<string>; readonly now: number },
  ) {
    this.#streams = streams;
    this.#going = going;
    this.#now = now;
  }

  /** Whether a remaining object holds this update, so that a later cleanup carries it. */
  holds({ place, time }: Pick<NewestRow, "place" | "time">): boolean {
    if (place === undefined) return false;
    const objects = this.#objectsOf(place.stream);
    const begin = firstReaching(objects, place.seq);
    return objects.slice(begin, begin + MAX_CHECKED).some(({ first, lastModified }) =>
      first <= place.seq && isPlausible(time, lastModified ?? this.#now)
    );
  }

  /** The remaining objects of a stream, sorted by their last seq. */
  #objectsOf(stream: string): readonly DatedName[] {
    const known = this.#sorted.get(stream);
    if (known) return known;
    const remaining = (this.#streams.get(stream) ?? []).filter(({ key }) => !this.#going.has(key));
    const sorted = remaining.sort((a, b) => a.last - b.last);
    this.#sorted.set(stream, sorted);
    return sorted;
  }
}

/** Index of the first object that reaches `seq`; the objects are sorted. */
function firstReaching(objects: readonly DatedName[], seq: number): number {
  let low = 0, high = objects.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (objects[middle].last < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
