/**
 * Waking somebody who waits.
 *
 * @module
 */
import type { Clock } from "./environment.ts";

/** An event that one task waits for. It stays set until a wait has ended, so that none is missed. */
export class AutoResetEvent {
  readonly #clock: Clock;
  #isSet = false;
  #wake: (() => void) | undefined;

  /** An event that is not set; `clock` times its waits. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the current wait, or the next one at once. */
  set(): void {
    this.#isSet = true;
    this.#wake?.();
  }

  /** Waits until the event is set, for at most `timeoutMs`; resolves to whether it was set. */
  async wait(timeoutMs: number): Promise<boolean> {
    if (!this.#isSet) {
      await new Promise<void>((resolve) => {
        const cancel = Number.isFinite(timeoutMs)
          ? this.#clock.setTimer(timeoutMs, resolve)
          : () => {};
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const wasSet = this.#isSet;
    this.#isSet = false;
    return wasSet;
  }
}
