/**
 * Which objects stand where another writer has written, too. There may be a great many: comparing each
 * with each would hold up everything else for minutes.
 *
 * @module
 */
import type { ObjectName } from "../../log/names.ts";

/** Objects in the order of their first seqs, and which reach furthest up to each of them. */
export class Rivals {
  readonly #sorted: readonly ObjectName[];
  /** Of the objects up to this one the one that reaches furthest, and the one of another writer. */
  readonly #furthest: readonly (readonly ObjectName[])[];

  /** Among these objects of one stream. */
  constructor(names: readonly ObjectName[]) {
    this.#sorted = names.toSorted((a, b) => a.first - b.first);
    let furthest: ObjectName[] = [];
    this.#furthest = this.#sorted.map((name) => furthest = withFurther(furthest, name));
  }

  /** Whether another writer has written at a seq of the object. */
  of({ first, last, writer }: ObjectName): boolean {
    const furthest = this.#furthest[this.#countBegunBy(last) - 1] ?? [];
    return furthest.some((rival) => rival.writer !== writer && rival.last >= first);
  }

  /** How many begin at or below `seq`. */
  #countBegunBy(seq: number): number {
    let [from, to] = [0, this.#sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#sorted[middle].first <= seq) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** At most two, of different writers; the first reaches furthest. */
function withFurther([best, second]: readonly ObjectName[], name: ObjectName): ObjectName[] {
  if (!best) return [name];
  const others = [best, ...second ? [second] : []].filter(({ writer }) => writer !== name.writer);
  const [own] = [best, second ?? best].filter(({ writer }) => writer === name.writer);
  const further = own && own.last >= name.last ? own : name;
  return [further, ...others].sort((a, b) => b.last - a.last).slice(0, 2);
}
