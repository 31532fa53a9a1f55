/**
 * Determines when a watcher has applied everything that was in the bucket at the start.
 *
 * @module
 */
import type { Poller } from "../poller.ts";
import type { Restoration } from "./restoration.ts";

/** Checks whether the streams of the first listing are read, and nothing is left to restore. */
export class Completeness {
  readonly #poller: Poller;
  readonly #restoration: Restoration;
  readonly #onComplete: () => void;
  #ends: ReadonlyMap<string, number> | undefined;
  #isComplete = false;
  #isChecking = false;

  /** Calls `onComplete` once, when everything is applied. */
  constructor(poller: Poller, restoration: Restoration, onComplete: () => void) {
    this.#poller = poller;
    this.#restoration = restoration;
    this.#onComplete = onComplete;
  }

  /** Checks again, once reading and restoring have paused. Call this after each poll. */
  async check(): Promise<void> {
    if (this.#isComplete || this.#isChecking) return;
    this.#isChecking = true;
    this.#ends ??= this.#poller.unreadEnds();
    try {
      await this.#poller.idle().catch(() => {}); // A later poll retries.
      await this.#restoration.idle();
      this.#isComplete = !this.#restoration.isDue && this.#poller.hasRead(this.#ends);
    } finally {
      this.#isChecking = false;
    }
    if (this.#isComplete) this.#onComplete();
  }
}
