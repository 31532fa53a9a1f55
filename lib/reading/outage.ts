/**
 * Waits for a backend that is away.
 *
 * @module
 */
import { Backoff } from "../base/backoff.ts";
import { abortable } from "../base/deadline.ts";
import { type Environment, sleep } from "../base/environment.ts";

/** Delay between attempts. */
const RETRY_RANGE = { minMs: 250, maxMs: 60_000 };

/** Bounds on the delay a backend may ask for, in milliseconds. */
const MAX_RETRY_AFTER_MS = 3_600_000, MIN_RETRY_AFTER_MS = 1_000;

/** The time during which one plugin cannot work. Callers of the plugin wait until it is over. */
export class Outage {
  readonly #environment: Environment;
  readonly #backoff: Backoff;
  #begunAt = 0;
  #nextAttemptAt = 0;
  #attempt: Promise<void> | undefined;
  /**
   * When the current update began to hold up reading: at the start, or when another was set aside.
   */
  #heldSince = 0;
  readonly #setAside = new Set<string>();

  /** Creates it, not ongoing. */
  constructor(environment: Environment) {
    this.#environment = environment;
    this.#backoff = new Backoff(environment.random, RETRY_RANGE);
  }

  /** Whether the plugin cannot work now. */
  get isOngoing(): boolean {
    return this.#backoff.failures > 0;
  }

  /**
   * Waits until the next attempt is allowed; returns at once when there is no outage. Only one
   * attempt is made at a time: it lasts until the returned object is disposed of.
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

  /** Notes that an attempt failed: the outage begins or continues. */
  goOn(retryAfterMs?: number): void {
    const now = this.#environment.clock.elapsed();
    if (!this.isOngoing) this.#begunAt = this.#heldSince = now;
    // Calls that were already running when the outage began do not count as attempts.
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
   * Whether an update of `feed` has held up reading for `ms` milliseconds, so that another one
   * should be tried. Further updates of a feed that was set aside are skipped at once: another feed
   * says more about the backend.
   */
  isHeldFor(ms: number, feed: string): boolean {
    if (!this.isOngoing) return false;
    return this.#setAside.has(feed) || this.#environment.clock.elapsed() - this.#heldSince >= ms;
  }

  /** Sets an update of `feed` aside: the next attempt is made with another update. */
  setAside(feed: string): void {
    this.#setAside.add(feed);
    this.#heldSince = this.#environment.clock.elapsed();
  }

  /** Ends the outage: the plugin works. */
  end(): void {
    this.#backoff.succeed();
    this.#nextAttemptAt = 0;
    this.#setAside.clear();
  }
}
