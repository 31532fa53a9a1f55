/**
 * Streams that cannot be read on: they wait for a key, or for an object to be mended.
 *
 * @module
 */
import { RetrySchedule } from "../base/backoff.ts";
import type { Environment } from "../base/environment.ts";

/** Delays between attempts to fetch what holds up a stream. */
const RETRY_RANGE = { minMs: 1000, maxMs: 60_000 };

/** Remembers them, so that what cannot be read is not fetched at every poll. */
export class HeldStreams {
  readonly #errors = new Map<string, Error>();
  readonly #retries: RetrySchedule;

  /** None is held. */
  constructor(environment: Environment) {
    this.#retries = new RetrySchedule(environment, RETRY_RANGE);
  }

  /** What holds them up. */
  get errors(): Error[] {
    return [...this.#errors.values()];
  }

  /** What holds up the stream, if something does. */
  error(stream: string): Error | undefined {
    return this.#errors.get(stream);
  }

  /** The stream waits. */
  hold(stream: string, error: Error): void {
    this.#errors.set(stream, error);
    this.#retries.fail(stream);
  }

  /** The stream goes on. */
  release(stream: string): void {
    this.#errors.delete(stream);
    this.#retries.succeed(stream);
  }

  /** Whether the stream waits. */
  has(stream: string): boolean {
    return this.#errors.has(stream);
  }

  /** Whether it may be read now. */
  isDue(stream: string): boolean {
    return this.#retries.isDue(stream);
  }

  /** All may be read now. */
  retryAll(): void {
    this.#retries.retryAll();
  }
}
