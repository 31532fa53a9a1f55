/**
 * How long to wait from one poll to the next.
 *
 * @module
 */
import type { Random } from "../base/environment.ts";

/** Each poll that finds nothing makes the next wait longer by this factor; a failed one by another. */
const SLOWER = 1.5, AFTER_FAILURE = 2;

/** A wait is shortened by up to this share, so that servers do not all poll at once. */
export const JITTER = 0.1;

/** The range of waits, in milliseconds. */
export interface PollRange {
  /** While updates are found. */
  readonly min: number;
  /** While there are none, or wake-ups tell of them. */
  readonly max: number;
}

/**
 * Polls are quick while they find something, and get slower while they do not: when nothing happens,
 * when wake-ups tell of all that happens, and when the store cannot keep up.
 */
export class PollPace {
  readonly #range: PollRange;
  readonly #random: Random;
  #wait: number;

  /** Starts with the shortest wait. */
  constructor(range: PollRange, random: Random) {
    this.#range = range;
    this.#random = random;
    this.#wait = range.min;
  }

  /** A poll that nobody had asked for found something, or did not. */
  polled(foundNews: boolean): void {
    this.#set(foundNews ? this.#range.min : this.#wait * SLOWER);
  }

  /** A poll failed. */
  failed(): void {
    this.#set(this.#wait * AFTER_FAILURE);
  }

  /** Milliseconds until the next poll. */
  next(): number {
    return this.#wait * (1 - JITTER * this.#random.fraction());
  }

  #set(wait: number): void {
    this.#wait = Math.min(this.#range.max, wait);
  }
}
