import type { Environment } from "../lib/base/environment.ts";
import { Standstill } from "./standstill.ts";

/**
 * Time that stands still, but in {@linkcode VirtualTime.run}: there the clock jumps from timer to
 * timer as soon as nothing else is left to do. Randomness is seeded.
 */
export class VirtualTime extends Standstill implements Environment {
  #now = Date.parse("2026-01-01T00:00:00Z");
  #error = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();
  #seed = 1;

  readonly clock = {
    now: () => this.#now + this.#error,
    elapsed: () => this.#now,
    setTimer: (ms: number, callback: () => void) => {
      const timer = { at: this.#now + ms, callback };
      this.#timers.add(timer);
      return () => void this.#timers.delete(timer);
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

  /** Somebody sets the clock back, which is no time that passes. */
  setBack(ms: number): void {
    this.#error -= ms;
  }

  /** Sets the clock forward; no timer fires. */
  skip(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass until the promise is settled. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    promise.then(() => settled = true, () => settled = true);
    while (!settled) {
      await turn();
      if (!settled && !this.isHeld) this.#fire();
    }
    return promise;
  }

  /** Lets `ms` pass with all the timers in it. */
  async pass(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.clock.setTimer(ms, resolve);
    await this.run(promise);
    await turn();
  }

  #fire(): void {
    const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
    if (!next) return;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.callback();
  }

  #next(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  }
}

/** A turn of the event loop: everything that is ready has run by then. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
