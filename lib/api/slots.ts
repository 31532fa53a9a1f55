/**
 * Bounds how many requests are under way.
 *
 * @module
 */
import { tooBusy } from "./errors.ts";

/** Places for requests under way; who finds none is sent away. */
export class Slots {
  readonly #max: number;
  #taken = 0;

  /** There are `max` of them. */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many are taken. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes one, until what it returns is disposed of.
   *
   * @throws {ApiError} when none is left.
   */
  take(): Disposable {
    if (this.#taken >= this.#max) throw tooBusy("Too many requests at once");
    this.#taken++;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#taken--;
        isTaken = false;
      },
    };
  }
}
