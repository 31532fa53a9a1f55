import type { Environment } from "../lib/environment.ts";

/**
 * Time that passes only when nothing else is left to do: timers fire at once, in their order, and
 * the clock jumps to them. Randomness is seeded.
 */
export class VirtualTime implements Environment {
  #now = Date.parse("2026-01-01T00:00:00Z");
  readonly #timers = new Map<number, { at: number; callback: () => void }>();
  #ids = 0;
  #scheduled: number | undefined;
  #seed = 1;

  readonly clock = {
    now: () => this.#now,
    setTimer: (ms: number, callback: () => void) => {
      const id = this.#ids++;
      this.#timers.set(id, { at: this.#now + ms, callback });
      this.#schedule();
      return () => {
        this.#timers.delete(id);
      };
    },
  };

  readonly random = {
    uuid: () => crypto.randomUUID(),
    token: () => {
      const letters = "abcdefghijklmnopqrstuvwxyz234567";
      return Array.from({ length: 8 }, () => letters[Math.floor(this.#next() * 32)]).join("");
    },
    fraction: () => this.#next(),
  };

  /** Lets time pass without anything happening. */
  advance(ms: number): void {
    this.#now += ms;
  }

  /** Stops all timers. */
  stop(): void {
    clearTimeout(this.#scheduled);
    this.#timers.clear();
  }

  #next(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  }

  #schedule(): void {
    this.#scheduled ??= setTimeout(() => {
      this.#scheduled = undefined;
      const [next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at);
      if (!next) return;
      this.#timers.delete(next[0]);
      this.#now = Math.max(this.#now, next[1].at);
      next[1].callback();
      if (this.#timers.size > 0) this.#schedule();
    }, 0);
  }
}
