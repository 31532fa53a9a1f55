/**
 * What every store measures: the requests it sends, and how far its clock is from this machine's.
 *
 * It is no decorator over {@linkcode ObjectStore}. One operation is several requests (the SDK's own retries,
 * the pages of a listing, the batches of a delete), all of which users pay for, and the time stands in
 * answers that a decorator does not see.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";
import type { RequestCounts } from "./store.ts";

/** What a store's answer tells of its clock; all in milliseconds. */
export interface ClockReading {
  /** What the store's clock said, since 1970. */
  readonly stamp: number;
  /** By how much the store's clock may have been ahead of the stamp. */
  readonly resolution: number;
  /** When the answer arrived, by the local clock. */
  readonly received: number;
  /** How long it took: the local clock may have been set meanwhile. */
  readonly took: number;
}

/**
 * Milliseconds to add to the local clock to get the store's: of all offsets that the reading allows
 * the one nearest to 0. So clocks that may agree are taken to agree.
 */
export function clockOffset({ stamp, resolution, received, took }: ClockReading): number {
  const least = stamp - received;
  const most = stamp + resolution - (received - took);
  return Math.round(Math.min(most, Math.max(least, 0)));
}

/** Counts the requests of one store, and reads its clock from their answers. */
export class Meter {
  /** See {@linkcode ObjectStore.requests}. */
  readonly requests: RequestCounts = { put: 0, get: 0, list: 0, delete: 0 };
  readonly #clock: Clock;
  readonly #resolutionMs: number;
  #clockOffset: number | undefined;

  /** The store's clock tells the time only to `resolutionMs`. */
  constructor(clock: Clock, resolutionMs: number) {
    this.#clock = clock;
    this.#resolutionMs = resolutionMs;
  }

  /** See {@linkcode ObjectStore.clockOffset}. */
  get clockOffset(): number | undefined {
    return this.#clockOffset;
  }

  /** A request is sent: the returned function takes what the answer says the store's time is, if it does. */
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
