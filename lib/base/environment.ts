/**
 * Time and randomness. Production uses {@linkcode systemEnvironment}; tests inject their own and never
 * sleep.
 *
 * @module
 */

/** A clock with timers. */
export interface Clock {
  /** Milliseconds since 1970. The clock may be set, forward or back. */
  now(): number;
  /** Milliseconds of a clock that is never set: for measuring durations. */
  elapsed(): number;
  /** Calls `callback` once after `ms`; the returned function cancels that. */
  setTimer(ms: number, callback: () => void): () => void;
}

/** A source of randomness. */
export interface Random {
  /** A random UUID. */
  uuid(): string;
  /** 8 random base32 characters in lower case. */
  token(): string;
  /** A number from 0 up to 1. */
  fraction(): number;
}

/** Clock and randomness. */
export interface Environment {
  /** Time and timers. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
}

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** The machine's own clock and cryptographic randomness. */
export const systemEnvironment: Environment = {
  clock: {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    setTimer(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  },
  random: {
    uuid: () => crypto.randomUUID(),
    token: () =>
      Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => BASE32[byte & 31]).join(""),
    fraction: () => Math.random(),
  },
};

/** Waits `ms`; rejects with the signal's reason as soon as `signal` is aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = clock.setTimer(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
