/**
 * How long to wait after failures.
 *
 * @module
 */
import type { Random } from "./environment.ts";

/** The range of delays. */
export interface BackoffRange {
  /** Upper bound of the first delay, in milliseconds. */
  readonly minMs: number;
  /** Upper bound of all delays, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Exponential backoff with full jitter: each failure in a row doubles the bound, and the delay is
 * drawn evenly below it, so that servers that failed together do not come back together.
 *
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export class Backoff {
  readonly #random: Random;
  readonly #range: BackoffRange;
  #failures = 0;

  /** Nothing has failed yet. */
  constructor(random: Random, range: BackoffRange) {
    this.#random = random;
    this.#range = range;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Notes a failure; returns the delay before the next attempt, in milliseconds. */
  fail(): number {
    const { minMs, maxMs } = this.#range;
    const boundMs = Math.min(maxMs, minMs * 2 ** Math.min(this.#failures++, 30));
    return boundMs * this.#random.fraction();
  }

  /** Notes a success: the next failure is the first one again. */
  succeed(): void {
    this.#failures = 0;
  }
}
