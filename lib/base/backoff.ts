/**
 * How long to wait after failures.
 *
 * @module
 */
import type { Environment, Random } from "./environment.ts";

/** The range of delays. */
export interface BackoffRange {
  /** Upper bound of the first delay, in milliseconds. */
  readonly minMs: number;
  /** Upper bound of all delays, in milliseconds. */
  readonly maxMs: number;
}

/** Upper bound of the delay after so many failures in a row, in milliseconds. */
export function delayBoundMs({ minMs, maxMs }: BackoffRange, failures: number): number {
  return Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
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
    return delayBoundMs(this.#range, ++this.#failures) * this.#random.fraction();
  }

  /** Notes a success: the next failure is the first one again. */
  succeed(): void {
    this.#failures = 0;
  }
}

/** Backoff for many subjects, each of which fails and succeeds on its own. */
export class RetrySchedule {
  readonly #environment: Environment;
  readonly #range: BackoffRange;
  readonly #failed = new Map<string, { readonly backoff: Backoff; retryAt: number }>();

  /** Nothing has failed yet. */
  constructor(environment: Environment, range: BackoffRange) {
    this.#environment = environment;
    this.#range = range;
  }

  /** Notes a failure of `subject`, which postpones its next attempt. */
  fail(subject: string): void {
    const { clock, random } = this.#environment;
    const backoff = this.#failed.get(subject)?.backoff ?? new Backoff(random, this.#range);
    this.#failed.set(subject, { backoff, retryAt: clock.elapsed() + backoff.fail() });
  }

  /** Forgets the failures of `subject`: it succeeded, or nobody needs it any more. */
  succeed(subject: string): void {
    this.#failed.delete(subject);
  }

  /** Whether the last attempt failed. */
  hasFailed(subject: string): boolean {
    return this.#failed.has(subject);
  }

  /** Whether it is time for an attempt. */
  isDue(subject: string): boolean {
    const { retryAt = -Infinity } = this.#failed.get(subject) ?? {};
    return this.#environment.clock.elapsed() >= retryAt;
  }

  /** Makes it time for an attempt at everything. */
  retryAll(): void {
    for (const failed of this.#failed.values()) failed.retryAt = -Infinity;
  }
}
