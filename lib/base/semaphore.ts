/**
 * Bounds how many things are done at once.
 *
 * @module
 */

/** Runs tasks when it is their turn. */
export interface Lane {
  /** Runs the task when it is its turn. */
  run<T>(task: () => Promise<T>): Promise<T>;
}

/** Runs at most so many tasks at once; others wait for their turn, in one of two lanes. */
export class Limit {
  #free: number;
  readonly #waiting: Record<"first" | "last", (() => void)[]> = { first: [], last: [] };
  /** Its tasks go first, however many wait in the other. */
  readonly first: Lane = { run: (task) => this.#run(task, "first") };
  /** Its tasks wait until none is left in the other. */
  readonly last: Lane = { run: (task) => this.#run(task, "last") };

  /** At most `most` at once. */
  constructor(most: number) {
    this.#free = most;
  }

  async #run<T>(task: () => Promise<T>, lane: "first" | "last"): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting[lane].push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.first.shift() ?? this.#waiting.last.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
