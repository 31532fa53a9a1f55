/**
 * Measures the requests that a store sends, and the offset of its clock from the local one.
 *
 * This is not a decorator over {@linkcode ObjectStore}. One operation may be several requests
 * (retries of the SDK, pages of a listing, batches of a delete), all of which users pay for, and a
 * decorator does not see the answers that hold the time.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";
import type { RequestCounts } from "./store.ts";

/** A reading of the store's clock in an answer; all values in milliseconds. */
export interface ClockReading {
  /** Time of the store's clock, since 1970. */
  readonly stamp: number;
  /** By how much the store's clock may have been ahead of the stamp. */
  readonly resolution: number;
  /** When the answer arrived, by the local clock. */
  readonly received: number;
  /** How long the request took, by the monotonic clock. */
  readonly took: number;
}

/**
 * Milliseconds to add to the local clock to get the store's time. Of all offsets that the reading
 * allows, this is the one nearest to 0, so clocks that may agree count as equal.
 */
export function clockOffset({ stamp, resolution, received, took }: ClockReading): number {
  const least = stamp - received;
  const most = stamp + resolution - (received - took);
  return Math.round(Math.min(most, Math.max(least, 0)));
}

/** Resolution of a `Date` header, in milliseconds. */
export const DATE_RESOLUTION_MS = 1_000;

/** Counts the requests of one store, and reads its clock from their answers. */
export class Meter {
  /** See {@linkcode ObjectStore.requests}. */
  readonly requests: RequestCounts = { put: 0, get: 0, list: 0, delete: 0 };
  readonly #clock: Clock;
  readonly #resolutionMs: number;
  #clockOffset: number | undefined;

  /** Creates a meter for a store whose clock has the resolution `resolutionMs`. */
  constructor(clock: Clock, resolutionMs: number) {
    this.#clock = clock;
    this.#resolutionMs = resolutionMs;
  }

  /** See {@linkcode ObjectStore.clockOffset}. */
  get clockOffset(): number | undefined {
    return this.#clockOffset;
  }

  /**
   * Called before a request is sent; the returned function receives the store's time in the answer,
   * if any.
   */
  sent(): (stamp: number | undefined) => void {
    const sent = this.#clock.elapsed();
    return (stamp) => {
      if (stamp === undefined) return;
      const received = this.#clock.now(), took = this.#clock.elapsed() - sent;
      const reading = { stamp, resolution: this.#resolutionMs, received, took };
      this.#clockOffset = clockOffset(reading);
    };
  }
}
