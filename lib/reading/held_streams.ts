/**
 * Streams that cannot be read on: they wait for a key, or for an object to be mended.
 *
 * @module
 */
import type { Environment } from "../base/environment.ts";
import { RetryTimes } from "../base/retry_times.ts";

/** What holds up a stream is fetched again after so many milliseconds: at first, and at most. */
const RETRY_DELAYS = { baseMs: 1000, capMs: 60_000 };

/** Remembers them, so that what cannot be read is not fetched at every poll. */
export class HeldStreams {
  readonly #errors = new Map<string, Error>();
  readonly #times: RetryTimes;

  /** None is held. */
  constructor(environment: Environment) {
    this.#times = new RetryTimes(environment, RETRY_DELAYS);
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
    this.#times.postpone(stream);
  }

  /** The stream goes on. */
  release(stream: string): void {
    this.#errors.delete(stream);
    this.#times.forget(stream);
  }

  /** Whether the stream waits. */
  has(stream: string): boolean {
    return this.#errors.has(stream);
  }

  /** Whether it may be read now. */
  isDue(stream: string): boolean {
    return this.#times.isDue(stream);
  }

  /** All may be read now. */
  retryAll(): void {
    this.#times.retryAll();
  }
}
