/**
 * The delay between polls.
 *
 * @module
 */
import type { Random } from "../base/environment.ts";

/** Factors by which the delay grows after a poll that found nothing, and after a failed one. */
const SLOWER = 1.5, AFTER_FAILURE = 2;

/** Share by which a delay is randomly shortened, so that servers do not all poll at once. */
export const JITTER = 0.1;

/** The range of delays, in milliseconds. */
export interface PollRange {
  /** Used while polls find updates. */
  readonly min: number;
  /** Reached when there are no updates, or wake-ups announce them. */
  readonly max: number;
}

/**
 * Computes the delay: short while polls find updates, longer while they do not, because nothing
 * happens, wake-ups announce everything, or the store fails.
 */
export class PollPace {
  #range: PollRange;
  readonly #random: Random;
  #wait: number;

  /** Starts with the shortest delay. */
  constructor(range: PollRange, random: Random) {
    this.#range = range;
    this.#random = random;
    this.#wait = range.min;
  }

  /** Notes whether a regular poll found something. */
  polled(foundNews: boolean): void {
    this.#set(foundNews ? this.#range.min : this.#wait * SLOWER);
  }

  /** Notes that a poll failed. */
  failed(): void {
    this.#set(this.#wait * AFTER_FAILURE);
  }

  /** From now on the delay is in this range: the shortest one at first. */
  change(range: PollRange): void {
    this.#range = range;
    this.#wait = range.min;
  }

  /** Milliseconds until the next poll. */
  next(): number {
    return this.#wait * (1 - JITTER * this.#random.fraction());
  }

  #set(wait: number): void {
    this.#wait = Math.min(this.#range.max, wait);
  }
}
