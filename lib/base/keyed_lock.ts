/**
 * One task at a time per key.
 *
 * @module
 */
import { abortable } from "./deadline.ts";

/** Locks by key, within one process. */
export class KeyedLock {
  readonly #held = new Map<string, Promise<void>>();

  /** Whether somebody holds the lock. */
  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  /** Waits until it is released; somebody else may take it then. */
  async released(key: string, signal: AbortSignal): Promise<void> {
    await abortable(Promise.resolve(this.#held.get(key)), signal);
  }

  /** Takes the lock, which nobody holds, until what it returns is disposed of. */
  take(key: string): Disposable {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(key, promise);
    return {
      [Symbol.dispose]: () => {
        this.#held.delete(key);
        resolve();
      },
    };
  }
}
