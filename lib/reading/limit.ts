/**
 * Bounds how many things are done at once.
 *
 * @module
 */

/** Runs at most so many tasks at once; others wait for their turn. */
export class Limit {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** At most `most` at once. */
  constructor(most: number) {
    this.#free = most;
  }

  /** Runs the task when it is its turn. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
