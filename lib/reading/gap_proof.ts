/**
 * Decides when a hole in a stream is a gap: several listings, over some time, must show no object
 * with the next update.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";

/**
 * Number of listings, and the least time they span, before a plain hole is a gap: no object was
 * ever seen in it.
 */
const HOLE_LISTINGS = 5, HOLE_MS = 4000;

/**
 * The same for a hole in which an object was seen before and vanished: replicas that answer in turn
 * may show it only now and then. These listings must be consecutive.
 */
const VANISHED_LISTINGS = 10, VANISHED_MS = 60_000;

/** Counts the listings of tail and segments that were made with the current cursor. */
export class GapProof {
  readonly #clock: Pick<Clock, "elapsed">;
  #listings = 0;
  #since = 0;
  /**
   * Number of consecutive listings, up to the last one, without the next update; and since when.
   */
  #absences = 0;
  #absentSince = 0;

  /** Creates a proof without any listing. */
  constructor(clock: Pick<Clock, "elapsed">) {
    this.#clock = clock;
  }

  /** Starts again: the cursor has moved. */
  restart(): void {
    this.#listings = this.#absences = 0;
  }

  /**
   * Called when a listed object was not found: requires new listings that may show its updates
   * elsewhere.
   */
  lookAgain(): void {
    this.#listings = 0;
  }

  /** Notes a listing that began at `begun`, and whether it shows an object with the next update. */
  note(begun: number, showsNext: boolean): void {
    if (this.#listings++ === 0) this.#since = begun;
    if (showsNext) this.#absences = 0;
    else if (this.#absences++ === 0) this.#absentSince = begun;
  }

  /** Whether there was any listing. */
  get hasLooked(): boolean {
    return this.#listings > 0;
  }

  /** Whether there were enough listings to prove a plain hole. */
  get hasLookedOften(): boolean {
    return this.#listings >= HOLE_LISTINGS && this.#clock.elapsed() - this.#since >= HOLE_MS;
  }

  /** Whether the hole is proven to be a gap; `wasSeen`: an object in the hole was seen before. */
  isProven({ wasSeen }: { wasSeen: boolean }): boolean {
    if (!this.hasLookedOften) return false;
    if (!wasSeen) return true;
    const absentMs = this.#clock.elapsed() - this.#absentSince;
    return this.#absences >= VANISHED_LISTINGS && absentMs >= VANISHED_MS;
  }

  /**
   * Pause before the next listing: short until a plain hole could be proven, then long enough for a
   * vanished object.
   */
  get pauseMs(): number {
    return this.#listings < HOLE_LISTINGS
      ? HOLE_MS / (HOLE_LISTINGS - 1)
      : VANISHED_MS / (VANISHED_LISTINGS - HOLE_LISTINGS);
  }
}
