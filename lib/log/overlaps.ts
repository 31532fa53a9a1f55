/**
 * Which objects of a stream hold a seq that an object of another writer holds, too. Keys alone tell. There may
 * be very many objects: comparing each with each would hold up everything else for minutes.
 *
 * @module
 */
import type { ObjectName } from "./names.ts";
import type { Seq } from "./positions.ts";

/** Finds overlaps among the objects of one stream. */
export class Overlaps {
  /** By first seq. */
  readonly #sorted: readonly ObjectName[];
  /** For each of them: of the objects up to it, the one that ends last, and the same of another writer. */
  readonly #furthest: readonly (readonly ObjectName[])[];

  /** Prepares to search these objects. */
  constructor(names: readonly ObjectName[]) {
    this.#sorted = names.toSorted((a, b) => a.first - b.first);
    let furthest: ObjectName[] = [];
    this.#furthest = this.#sorted.map((name) => furthest = withFurther(furthest, name));
  }

  /** Whether one of the objects is another writer's and holds a seq of this one. */
  has({ first, last, writer }: ObjectName): boolean {
    const furthest = this.#furthest[this.#countBegunBy(last) - 1] ?? [];
    return furthest.some((other) => other.writer !== writer && other.last >= first);
  }

  /** How many begin at or below `seq`. */
  #countBegunBy(seq: Seq): number {
    let [from, to] = [0, this.#sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#sorted[middle].first <= seq) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** At most two, of different writers; the first ends last. */
function withFurther([best, second]: readonly ObjectName[], name: ObjectName): ObjectName[] {
  if (!best) return [name];
  const others = [best, ...second ? [second] : []].filter(({ writer }) => writer !== name.writer);
  const [own] = [best, second ?? best].filter(({ writer }) => writer === name.writer);
  const further = own && own.last >= name.last ? own : name;
  return [further, ...others].sort((a, b) => b.last - a.last).slice(0, 2);
}
