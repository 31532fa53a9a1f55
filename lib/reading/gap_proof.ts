/**
 * When a hole in a stream is a gap: listings have to agree, over some time, that nothing holds the next
 * update.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";

/** A hole in which no object was ever seen is a gap after this many listings, over at least this time. */
const HOLE_LISTINGS = 3, HOLE_MS = 2000;

/**
 * The same for a hole in which an object was seen before: replicas that answer in turn may show it now
 * and then. So many listings in a row must show none.
 */
const VANISHED_LISTINGS = 10, VANISHED_MS = 60_000;

/** Counts the listings of both tail and segments that were made with the cursor where it is. */
export class GapProof {
  readonly #clock: Pick<Clock, "elapsed">;
  #listings = 0;
  #since = 0;
  /** How many of them in a row, up to the last one, showed no object with the next update; since when. */
  #absences = 0;
  #absentSince = 0;

  /** Nothing is proven yet. */
  constructor(clock: Pick<Clock, "elapsed">) {
    this.#clock = clock;
  }

  /** Begins anew: the cursor has moved. */
  restart(): void {
    this.#listings = this.#absences = 0;
  }

  /** An object that was listed is gone, or not there yet: what holds its updates now has to be looked for. */
  lookAgain(): void {
    this.#listings = 0;
  }

  /** Takes a listing that was begun then, and whether it shows an object with the next update. */
  note(begun: number, showsNext: boolean): void {
    if (this.#listings++ === 0) this.#since = begun;
    if (showsNext) this.#absences = 0;
    else if (this.#absences++ === 0) this.#absentSince = begun;
  }

  /** Whether there was any listing. */
  get hasLooked(): boolean {
    return this.#listings > 0;
  }

  /** Whether there were enough listings for a hole in which nothing was ever seen. */
  get hasLookedOften(): boolean {
    return this.#listings >= HOLE_LISTINGS && this.#clock.elapsed() - this.#since >= HOLE_MS;
  }

  /**
   * Whether nothing has led on from the cursor for long enough; `wasSeen`: something in the hole was there
   * once.
   */
  isProven({ wasSeen }: { wasSeen: boolean }): boolean {
    if (!this.hasLookedOften) return false;
    if (!wasSeen) return true;
    const absentMs = this.#clock.elapsed() - this.#absentSince;
    return this.#absences >= VANISHED_LISTINGS && absentMs >= VANISHED_MS;
  }

  /** Time until the next listing: short at first, then as long as a hole needs that was none before. */
  get pauseMs(): number {
    return this.#listings < HOLE_LISTINGS
      ? HOLE_MS / (HOLE_LISTINGS - 1)
      : VANISHED_MS / (VANISHED_LISTINGS - HOLE_LISTINGS);
  }
}
