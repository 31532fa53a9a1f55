/**
 * One task at a time per key.
 *
 * @module
 */
import { abortable } from "./deadline.ts";

/** Locks by key, within one process. */
export class KeyedLock {
  readonly #held = new Map<string, HeldLock>();

  /** Whether somebody holds the lock. */
  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  /** Waits until it is released; somebody else may take it then. */
  async released(key: string, signal: AbortSignal): Promise<void> {
    const lock = this.#held.get(key);
    if (lock) await abortable(lock.released, signal);
  }

  /** Takes the lock, which nobody holds, until what it returns is disposed of. */
  take(key: string): Disposable {
    const lock = new HeldLock(() => this.#held.delete(key));
    this.#held.set(key, lock);
    return lock;
  }
}

/** A lock that somebody holds. It is taken for every update, and hardly ever waited for. */
class HeldLock implements Disposable {
  readonly #release: () => void;
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(release: () => void) {
    this.#release = release;
  }

  get released(): Promise<void> {
    return (this.#waiting ??= Promise.withResolvers<void>()).promise;
  }

  [Symbol.dispose](): void {
    this.#release();
    this.#waiting?.resolve();
  }
}
