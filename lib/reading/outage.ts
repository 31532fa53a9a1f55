/**
 * Waiting for a backend that is away.
 *
 * @module
 */
import { Backoff } from "../base/backoff.ts";
import { abortable } from "../base/deadline.ts";
import { type Environment, sleep } from "../base/environment.ts";

/** Delays between attempts. */
const RETRY_RANGE = { minMs: 250, maxMs: 60_000 };

/** A backend that asks for more is tried again after this many milliseconds; and for less. */
const MAX_RETRY_AFTER_MS = 3_600_000, MIN_RETRY_AFTER_MS = 1_000;

/** The time in which one plugin cannot do its work; whoever calls it meanwhile waits. */
export class Outage {
  readonly #environment: Environment;
  readonly #backoff: Backoff;
  #begunAt = 0;
  #nextAttemptAt = 0;
  #attempt: Promise<void> | undefined;
  /** Since when the same update has held up reading: since it began, or since one was set aside. */
  #heldSince = 0;
  readonly #setAside = new Set<string>();

  /** There is none yet. */
  constructor(environment: Environment) {
    this.#environment = environment;
    this.#backoff = new Backoff(environment.random, RETRY_RANGE);
  }

  /** Whether it has begun and has not ended. */
  get isOngoing(): boolean {
    return this.#backoff.failures > 0;
  }

  /**
   * Waits for the next attempt; at once when there is no outage. One attempt is made at a time: it lasts
   * until what this resolves to is disposed of.
   */
  async turn(signal: AbortSignal): Promise<Disposable> {
    const { clock } = this.#environment;
    while (this.#attempt) await abortable(this.#attempt, signal);
    if (!this.isOngoing) return { [Symbol.dispose]: () => {} };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#attempt = promise;
    const end = () => {
      this.#attempt = undefined;
      resolve();
    };
    try {
      await sleep(clock, Math.max(0, this.#nextAttemptAt - clock.elapsed()), signal);
    } catch (error) {
      end();
      throw error;
    }
    return { [Symbol.dispose]: end };
  }

  /** An attempt has failed: the outage begins, or goes on. */
  goOn(retryAfterMs?: number): void {
    const now = this.#environment.clock.elapsed();
    if (!this.isOngoing) this.#begunAt = this.#heldSince = now;
    // Calls that were under way when it began are no attempts.
    const isAttempt = !this.isOngoing || now >= this.#nextAttemptAt;
    const backoffMs = isAttempt ? this.#backoff.fail() : 0;
    const delayMs = retryAfterMs === undefined
      ? backoffMs
      : Math.min(MAX_RETRY_AFTER_MS, Math.max(MIN_RETRY_AFTER_MS, retryAfterMs));
    this.#nextAttemptAt = Math.max(this.#nextAttemptAt, now + delayMs);
  }

  /** How long it will have lasted at the next attempt, in milliseconds. */
  willLastFor(): number {
    return this.#nextAttemptAt - this.#begunAt;
  }

  /**
   * Whether an update of `feed` has held up reading for so many milliseconds, and has to make room for
   * another one. Further updates of a feed that was set aside make room at once: another feed tells more.
   */
  isHeldFor(ms: number, feed: string): boolean {
    if (!this.isOngoing) return false;
    return this.#setAside.has(feed) || this.#environment.clock.elapsed() - this.#heldSince >= ms;
  }

  /** An update of `feed` makes room: the next one makes the next attempt. */
  setAside(feed: string): void {
    this.#setAside.add(feed);
    this.#heldSince = this.#environment.clock.elapsed();
  }

  /** The plugin works. */
  end(): void {
    this.#backoff.succeed();
    this.#nextAttemptAt = 0;
    this.#setAside.clear();
  }
}
