/**
 * The objects of a stream that cannot be relied on while it is being read.
 *
 * @module
 */
import { isLocked, MissingObjectError, type UnreadableError } from "../errors.ts";
import type { ObjectName } from "../log/names.ts";

/** Remembers them for one run of a reader. */
export class UnreadableObjects {
  readonly #damaged: { readonly name: ObjectName; readonly error: UnreadableError }[] = [];
  /** Objects that a GET did not find since the last listing; and those of which one ever did not. */
  readonly #absent = new Set<string>();
  readonly #missed = new Set<string>();

  /** The object cannot be read. */
  addDamaged(name: ObjectName, error: UnreadableError): void {
    this.#damaged.push({ name, error });
  }

  /** A GET did not find the object; returns whether that happens for the first time. */
  addAbsent({ key }: ObjectName): boolean {
    const isFirst = !this.#missed.has(key);
    this.#absent.add(key);
    this.#missed.add(key);
    return isFirst;
  }

  /** A new listing was made: what it shows may be there. */
  forgetAbsent(): void {
    this.#absent.clear();
  }

  /** Those of the objects beyond the cursor that may be read. */
  usable(names: readonly ObjectName[], cursor: number): ObjectName[] {
    const damaged = new Set(this.#damaged.map(({ name }) => name.key));
    return names.filter(({ key, last }) =>
      last > cursor && !damaged.has(key) && !this.#absent.has(key)
    );
  }

  /** Those of the objects that reach beyond `seq` and that a GET did not find. */
  absentBeyond(names: readonly ObjectName[], seq: number): ObjectName[] {
    return names.filter(({ key, last }) => last > seq && this.#absent.has(key));
  }

  /**
   * What is wrong with an object that holds what comes next, or later: first what only the operator can mend, and
   * last that the object is, while a listing shows it.
   */
  obstacleAfter(names: readonly ObjectName[], cursor: number): UnreadableError | undefined {
    const errors = this.#damaged.filter(({ name }) => name.last > cursor)
      .map(({ error }) => error);
    const error = errors.find(isLocked) ?? errors[0];
    if (error) return error;
    const absent = this.absentBeyond(names, cursor)[0];
    return absent && new MissingObjectError(absent.key);
  }
}
