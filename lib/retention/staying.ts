/**
 * What a cleanup leaves in the log, as its own listing shows it.
 *
 * @module
 */
import type { DatedName } from "../log/bucket_log.ts";
import { isPlausible } from "../log/update_order.ts";
import type { NewestRow } from "../state/newest.ts";

/** So many objects that reach as far as an update are looked at: one more carried does no harm. */
const MAX_LOOKED_AT = 16;

/** The objects that do not go in this cleanup. */
export class Staying {
  readonly #streams: ReadonlyMap<string, readonly DatedName[]>;
  readonly #going: ReadonlySet<string>;
  readonly #sorted = new Map<string, readonly DatedName[]>();
  readonly #now: number;

  /** Of all listed objects of all streams those whose key is not in `going`. */
  constructor(
    streams: ReadonlyMap<string, readonly DatedName[]>,
    { going, now }: { readonly going: ReadonlySet<string>; readonly now: number },
  ) {
    this.#streams = streams;
    this.#going = going;
    this.#now = now;
  }

  /** Whether an object that stays holds this update, which will be carried in its turn. */
  holds({ place, time }: Pick<NewestRow, "place" | "time">): boolean {
    if (place === undefined) return false;
    const objects = this.#objectsOf(place.stream);
    const begin = firstReaching(objects, place.seq);
    return objects.slice(begin, begin + MAX_LOOKED_AT).some(({ first, lastModified }) =>
      first <= place.seq && isPlausible(time, lastModified ?? this.#now)
    );
  }

  /** The objects of a stream that stay, by their last seq. */
  #objectsOf(stream: string): readonly DatedName[] {
    const known = this.#sorted.get(stream);
    if (known) return known;
    const staying = (this.#streams.get(stream) ?? []).filter(({ key }) => !this.#going.has(key));
    const sorted = staying.sort((a, b) => a.last - b.last);
    this.#sorted.set(stream, sorted);
    return sorted;
  }
}

/** The index of the first of the sorted objects whose last seq is not before `seq`. */
function firstReaching(objects: readonly DatedName[], seq: number): number {
  let low = 0, high = objects.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (objects[middle].last < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
