/**
 * Streams that cannot be read on: they wait for a key, or for an object to be mended.
 *
 * @module
 */
import { backoff, type Environment } from "../environment.ts";

/** What holds up a stream is fetched again after so many milliseconds: at first, and at most. */
const RETRY_BASE = 1000, RETRY_CAP = 60_000;

/** Why a stream waits. */
interface Held {
  readonly error: Error;
  /** How often the stream was read in vain. */
  readonly attempts: number;
  /** When to read it again. */
  readonly retryAt: number;
}

/** Remembers them, so that what cannot be read is not fetched at every poll. */
export class HeldStreams {
  readonly #environment: Environment;
  readonly #held = new Map<string, Held>();

  /** None is held. */
  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** What holds them up. */
  get errors(): Error[] {
    return [...this.#held.values()].map(({ error }) => error);
  }

  /** The stream waits. */
  hold(stream: string, error: Error): void {
    const { clock, random } = this.#environment;
    const attempts = (this.#held.get(stream)?.attempts ?? 0) + 1;
    const retryAt = clock.elapsed() + backoff(random, attempts, RETRY_BASE, RETRY_CAP);
    this.#held.set(stream, { error, attempts, retryAt });
  }

  /** The stream goes on. */
  release(stream: string): void {
    this.#held.delete(stream);
  }

  /** Whether the stream waits. */
  has(stream: string): boolean {
    return this.#held.has(stream);
  }

  /** Whether it may be read now. */
  isDue(stream: string): boolean {
    const held = this.#held.get(stream);
    return !held || this.#environment.clock.elapsed() >= held.retryAt;
  }

  /** All may be read now. */
  retryAll(): void {
    for (const [stream, held] of this.#held) {
      this.#held.set(stream, { ...held, retryAt: -Infinity });
    }
  }
}
