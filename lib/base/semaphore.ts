/**
 * Bounds how many tasks run at once.
 *
 * @module
 */

/** Runs tasks of one priority. */
export interface TaskRunner {
  /** Runs the task when it is its turn. */
  run<T>(task: () => Promise<T>): Promise<T>;
}

type Priority = "high" | "low";

/** Runs a bounded number of tasks at once; others wait for their turn, by priority. */
export class Semaphore {
  #permits: number;
  readonly #waiting: Record<Priority, (() => void)[]> = { high: [], low: [] };
  /** Its tasks go before those of low priority, however long these have waited. */
  readonly high: TaskRunner = { run: (task) => this.#run(task, "high") };
  /** Its tasks wait until none of high priority is left. */
  readonly low: TaskRunner = { run: (task) => this.#run(task, "low") };

  /** At most `permits` tasks run at once. */
  constructor(permits: number) {
    this.#permits = permits;
  }

  async #run<T>(task: () => Promise<T>, priority: Priority): Promise<T> {
    if (this.#permits > 0) this.#permits--;
    else await new Promise<void>((resolve) => this.#waiting[priority].push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.high.shift() ?? this.#waiting.low.shift();
      if (next) next();
      else this.#permits++;
    }
  }
}
