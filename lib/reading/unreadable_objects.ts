/**
 * The objects of a stream that could not be read in this run.
 *
 * @module
 */
import { isLocked, MissingObjectError, type UnreadableError } from "../errors.ts";
import type { ObjectName } from "../log/names.ts";

/** Remembers unreadable objects for one run of a reader. */
export class UnreadableObjects {
  readonly #damaged: { readonly name: ObjectName; readonly error: UnreadableError }[] = [];
  /** Keys of objects that a GET did not find since the last listing. */
  readonly #absent = new Set<string>();
  /** Keys of objects that a GET ever did not find. */
  readonly #missed = new Set<string>();

  /** Notes that the object cannot be read. */
  addDamaged(name: ObjectName, error: UnreadableError): void {
    this.#damaged.push({ name, error });
  }

  /** Notes that a GET did not find the object; returns whether this is the first time. */
  addAbsent({ key }: ObjectName): boolean {
    const isFirst = !this.#missed.has(key);
    this.#absent.add(key);
    this.#missed.add(key);
    return isFirst;
  }

  /** Called after a new listing: the objects that it shows may exist now. */
  forgetAbsent(): void {
    this.#absent.clear();
  }

  /** The objects beyond the cursor that may be readable. */
  usable(names: readonly ObjectName[], cursor: number): ObjectName[] {
    const damaged = new Set(this.#damaged.map(({ name }) => name.key));
    return names.filter(({ key, last }) =>
      last > cursor && !damaged.has(key) && !this.#absent.has(key)
    );
  }

  /** The objects that reach beyond `seq` and that a GET did not find. */
  absentBeyond(names: readonly ObjectName[], seq: number): ObjectName[] {
    return names.filter(({ key, last }) => last > seq && this.#absent.has(key));
  }

  /**
   * The error of an object that holds the next update or a later one. Errors that only the operator
   * can fix come first; an object that is listed but not found comes last.
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
