/**
 * Whether a watcher has applied all that was in the bucket when it started.
 *
 * @module
 */
import type { Poller } from "../poller.ts";
import type { Restoration } from "./restoration.ts";

/** Notices when everything is applied: what the first listing showed, and what was to be restored then. */
export class Completeness {
  readonly #poller: Poller;
  readonly #restoration: Restoration;
  readonly #onComplete: () => void;
  #ends: ReadonlyMap<string, number> | undefined;
  #isComplete = false;
  #isChecking = false;

  /** Calls `onComplete` once. */
  constructor(poller: Poller, restoration: Restoration, onComplete: () => void) {
    this.#poller = poller;
    this.#restoration = restoration;
    this.#onComplete = onComplete;
  }

  /** Looks again when what is under way has ended; to be called after each poll. */
  async check(): Promise<void> {
    if (this.#isComplete || this.#isChecking) return;
    this.#isChecking = true;
    this.#ends ??= this.#poller.unreadEnds();
    try {
      await this.#poller.idle().catch(() => {}); // What fails is read at a later poll.
      await this.#restoration.idle();
      this.#isComplete = !this.#restoration.isDue && this.#poller.hasRead(this.#ends);
    } finally {
      this.#isChecking = false;
    }
    if (this.#isComplete) this.#onComplete();
  }
}
