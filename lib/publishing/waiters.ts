/**
 * Those who wait until their update is in the bucket.
 *
 * @module
 */
import type { Clock } from "../environment.ts";
import { AccessDeniedError, ConfigError, messageOf, StoreUnavailableError } from "../errors.ts";
import type { State } from "../state/state.ts";

interface Waiter {
  readonly row: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Waits for rows of the outbox, whichever process uploads them. */
export class Waiters {
  readonly #clock: Clock;
  readonly #state: State;
  readonly #waiting = new Set<Waiter>();
  #lastError: unknown;

  /** Nobody waits yet. */
  constructor(clock: Clock, state: State) {
    this.#clock = clock;
    this.#state = state;
  }

  /**
   * Waits until the row is uploaded, and so those before it.
   *
   * @throws {StoreUnavailableError} after `timeout` milliseconds, with the reason of the last
   * failure; {@linkcode AccessDeniedError} at once when the store refuses. The row stays queued.
   */
  async wait(
    row: number,
    { timeout, signal }: { timeout: number; signal?: AbortSignal },
  ): Promise<void> {
    signal?.throwIfAborted();
    if (row <= this.#state.publisher.load().uploaded) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { row, resolve, reject };
    const onAbort = () => reject(signal!.reason);
    const cancel = this.#clock.setTimer(timeout, () => {
      try {
        this.look();
        reject(this.#timeout(timeout));
      } catch (error) {
        reject(error as Error); // The state cannot be read.
      }
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#waiting.add(waiter);
    try {
      await promise;
    } finally {
      cancel();
      signal?.removeEventListener("abort", onAbort);
      this.#waiting.delete(waiter);
    }
  }

  /** All rows up to `row` are in the bucket. */
  uploaded(row: number): void {
    this.#lastError = undefined;
    this.#resolve(row);
  }

  /** An upload has failed: told to other processes, too. */
  failed(error: unknown): void {
    this.#lastError = error;
    const fact = `${Math.round(this.#clock.now())} ${messageOf(error)}`;
    try {
      this.#state.transaction(() => this.#state.setFact("uploadError", fact), { durable: false });
    } catch {
      // On a full disk the others only learn that their time is up.
    }
    if (error instanceof AccessDeniedError || error instanceof ConfigError) {
      const message = `${error.message} (${this.#queued()})`;
      this.rejectAll(
        error instanceof ConfigError
          ? new ConfigError(message, { cause: error })
          : new AccessDeniedError(message, { cause: error }),
      );
    }
  }

  /** Looks at what is uploaded meanwhile by others: another process, or an attempt that failed. */
  look(): void {
    if (this.#waiting.size > 0) this.#resolve(this.#state.publisher.load().uploaded);
  }

  /** Ends all waiting. */
  rejectAll(error: Error): void {
    for (const waiter of this.#waiting) waiter.reject(error);
  }

  #resolve(row: number): void {
    for (const waiter of this.#waiting) if (waiter.row <= row) waiter.resolve();
  }

  #timeout(timeout: number): StoreUnavailableError {
    const cause = this.#lastError;
    const reason = cause
      ? messageOf(cause)
      : this.#othersError(timeout) ?? `The store has not answered for ${timeout / 1000} s`;
    return new StoreUnavailableError(`${reason} (${this.#queued()})`, {
      cause,
      queued: this.#state.queued(),
    });
  }

  /** What kept another process from uploading, if that was not long ago. */
  #othersError(timeout: number): string | undefined {
    const [, time, message] = /^(\d+) (.*)$/s.exec(String(this.#state.fact("uploadError"))) ?? [];
    return this.#clock.now() - Number(time) <= timeout + 60_000 ? message : undefined;
  }

  #queued(): string {
    return describeQueue(this.#state.queued());
  }
}

/** Says how many updates wait for their upload. */
export function describeQueue(queued: number): string {
  const updates = queued === 1 ? "update is" : "updates are";
  return `${queued} ${updates} queued and safe, and uploaded when the store allows it`;
}
