/**
 * Whether what others have published is known up to the time at which something was seen.
 *
 * @module
 */
import type { Clock } from "../../base/environment.ts";

/** Learns what others have published, for all who ask at the same time. */
export class Knowledge {
  readonly #clock: Clock;
  readonly #learn: () => Promise<void>;
  /** When each subject was first asked about. */
  readonly #asked = new Map<string, number>();
  #last: { readonly begun: number; readonly error?: unknown } = { begun: -Infinity };
  #isLearning = false;

  /** `learn` resolves when all is known that was published before it was called. */
  constructor(clock: Clock, learn: () => Promise<void>) {
    this.#clock = clock;
    this.#learn = learn;
  }

  /**
   * Whether all is known that was published until the subject was first asked about. If not, it is
   * being learned: ask again.
   *
   * @throws what kept it from being learned; asking again begins anew.
   */
  includes(subject: string): boolean {
    const since = this.#asked.getOrInsertComputed(subject, () => this.#clock.elapsed());
    if (this.#last.begun < since) {
      this.#begin();
      return false;
    }
    this.#asked.delete(subject);
    if ("error" in this.#last) throw this.#last.error;
    return true;
  }

  /** Whether the subject was asked about, and nothing has come of it yet. */
  isAwaited(subject: string): boolean {
    return this.#asked.has(subject);
  }

  /** Nobody asks about the subject any more. */
  forget(subject: string): void {
    this.#asked.delete(subject);
  }

  #begin(): void {
    if (this.#isLearning) return;
    this.#isLearning = true;
    const begun = this.#clock.elapsed();
    this.#learn().then(() => ({ begun }), (error: unknown) => ({ begun, error })).then((last) => {
      this.#last = last;
      this.#isLearning = false;
    });
  }
}
