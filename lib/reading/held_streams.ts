/**
 * Streams that are held up: they wait for a key, or for an object to become readable.
 *
 * @module
 */
import { RetrySchedule } from "../base/backoff.ts";
import type { Environment } from "../base/environment.ts";

/** Delay between attempts to fetch the object that holds up a stream. */
const RETRY_RANGE = { minMs: 1000, maxMs: 60_000 };

/** Remembers held-up streams, so that unreadable objects are not fetched at every poll. */
export class HeldStreams {
  readonly #errors = new Map<string, Error>();
  readonly #retries: RetrySchedule;

  /** Creates it, with no stream held up. */
  constructor(environment: Environment) {
    this.#retries = new RetrySchedule(environment, RETRY_RANGE);
  }

  /** The errors that hold up streams. */
  get errors(): Error[] {
    return [...this.#errors.values()];
  }

  /** The error that holds up the stream, if any. */
  error(stream: string): Error | undefined {
    return this.#errors.get(stream);
  }

  /** Notes that the stream is held up. */
  hold(stream: string, error: Error): void {
    this.#errors.set(stream, error);
    this.#retries.fail(stream);
  }

  /** Notes that the stream is no longer held up; returns the error that did so, if any. */
  release(stream: string): Error | undefined {
    const error = this.#errors.get(stream);
    this.#errors.delete(stream);
    this.#retries.succeed(stream);
    return error;
  }

  /** Whether the stream is held up. */
  has(stream: string): boolean {
    return this.#errors.has(stream);
  }

  /** Whether the stream may be read now. */
  isDue(stream: string): boolean {
    return this.#retries.isDue(stream);
  }

  /** Allows all streams to be read now. */
  retryAll(): void {
    this.#retries.retryAll();
  }
}
