/**
 * When to try again what failed: less and less often.
 *
 * @module
 */
import { backoff, type Environment } from "./environment.ts";

/** How long to wait, in milliseconds. */
export interface RetryDelays {
  /** After the first failure. */
  readonly baseMs: number;
  /** At most. */
  readonly capMs: number;
}

/** What failed how often, and when its next turn is. */
export class RetryTimes {
  readonly #environment: Environment;
  readonly #delays: RetryDelays;
  readonly #failed = new Map<string, { readonly attempts: number; readonly retryAt: number }>();

  /** Nothing has failed yet. */
  constructor(environment: Environment, delays: RetryDelays) {
    this.#environment = environment;
    this.#delays = delays;
  }

  /** It failed, perhaps again. */
  postpone(key: string): void {
    const { clock, random } = this.#environment;
    const { baseMs, capMs } = this.#delays;
    const attempts = (this.#failed.get(key)?.attempts ?? 0) + 1;
    const retryAt = clock.elapsed() + backoff(random, attempts, baseMs, capMs);
    this.#failed.set(key, { attempts, retryAt });
  }

  /** It is well, or of no interest any more. */
  forget(key: string): void {
    this.#failed.delete(key);
  }

  /** Whether it failed the last time. */
  has(key: string): boolean {
    return this.#failed.has(key);
  }

  /** Whether it may be tried now. */
  isDue(key: string): boolean {
    const failed = this.#failed.get(key);
    return !failed || this.#environment.clock.elapsed() >= failed.retryAt;
  }

  /** All may be tried now. */
  retryAll(): void {
    for (const [key, failed] of this.#failed) {
      this.#failed.set(key, { ...failed, retryAt: -Infinity });
    }
  }
}
