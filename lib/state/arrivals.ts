/**
 * Updates as they arrive, for who looks on. Nothing of it is stored.
 *
 * @module
 */

/** An update that is the newest of its feed, as far as this server knows. */
export interface Arrival {
  readonly id: string;
  readonly url: string;
  /** The stream that it was published to. */
  readonly stream: string;
  /** ISO 8601. */
  readonly time: string;
  /** Whether the feed is gone. */
  readonly removed?: boolean | undefined;
  /** Whether it was restored, and did not arrive in its stream. */
  readonly isRestored?: boolean | undefined;
}

/** Tells who listens in this process. */
export class Arrivals {
  readonly #listeners = new Set<(arrivals: readonly Arrival[]) => void>();

  /** Calls `listener` with updates that arrive from now on; the result ends that. */
  listen(listener: (arrivals: readonly Arrival[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells the listeners, if there are any, what `find` returns. Call it once the updates are stored. */
  tell(find: () => readonly Arrival[]): void {
    if (this.#listeners.size === 0) return;
    const arrivals = find();
    if (arrivals.length > 0) this.#listeners.forEach((listener) => listener(arrivals));
  }
}
