/**
 * A bell that somebody waits for.
 *
 * @module
 */
import type { Clock } from "./environment.ts";

/** Waiting that ends early: a ring before the wait counts, too, so that none is missed. */
export class Bell {
  readonly #clock: Clock;
  #rung = false;
  #wake: (() => void) | undefined;

  /** A bell whose waits are timed by `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the current wait, or the next one at once. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Waits for the bell, at most `ms`; whether it was rung. */
  async wait(ms: number): Promise<boolean> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const cancel = Number.isFinite(ms) ? this.#clock.setTimer(ms, resolve) : () => {};
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}
