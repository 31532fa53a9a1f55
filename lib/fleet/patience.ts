/**
 * Waiting for the store, but not for long: who takes turns goes on with what it knows.
 *
 * @module
 */
import { withDeadline } from "../base/deadline.ts";
import type { Clock } from "../base/environment.ts";

/** How long the store may take before others go on. */
const PATIENCE_MS = 5_000;

/** Waits for one thing at a time. What takes too long goes on, and nobody waits for it again. */
export class Patience {
  readonly #clock: Clock;
  #running: Promise<void> | undefined;
  #isOverdue = false;

  /** Measures time by `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether what takes too long is still going on. */
  get isOverdue(): boolean {
    return this.#running !== undefined && this.#isOverdue;
  }

  /** Begins `work`, unless it is going on already, and waits for it for a while; rejects as it does. */
  async wait(work: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    if (this.isOverdue) return;
    this.#isOverdue = false;
    this.#running ??= work().finally(() => this.#running = undefined);
    this.#running.catch(() => {}); // Perhaps nobody waits any more.
    const running = this.#running, isOver = new Error("It takes too long");
    const timeoutReason = () => isOver;
    try {
      const limit = { clock: this.#clock, timeoutMs: PATIENCE_MS, signal, timeoutReason };
      await withDeadline(() => running, limit);
    } catch (error) {
      if (error !== isOver) throw error;
      this.#isOverdue = true;
    }
  }
}
