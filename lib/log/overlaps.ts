/**
 * Finds objects of a stream that hold a seq which an object of another writer holds, too; the keys
 * show that. There may be very many objects: comparing all pairs would block the process for
 * minutes.
 *
 * @module
 */
import type { ObjectName } from "./names.ts";
import type { Seq } from "./positions.ts";

/** Finds overlaps among the objects of one stream. */
export class Overlaps {
  /** The objects, sorted by first seq. */
  readonly #sorted: readonly ObjectName[];
  /**
   * For each prefix of the sorted objects: the one that ends last, and the last one of another
   * writer.
   */
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

  /** Number of objects that begin at or below `seq`. */
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

/** Updates the furthest objects: at most two, of different writers, the first ends last. */
function withFurther([best, second]: readonly ObjectName[], name: ObjectName): ObjectName[] {
  if (!best) return [name];
  const others = [best, ...second ? [second] : []].filter(({ writer }) => writer !== name.writer);
  const [own] = [best, second ?? best].filter(({ writer }) => writer === name.writer);
  const further = own && own.last >= name.last ? own : name;
  return [further, ...others].sort((a, b) => b.last - a.last).slice(0, 2);
}
