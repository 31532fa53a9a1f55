/**
 * One call at a time per URL.
 *
 * @module
 */
import { abortable } from "../base/deadline.ts";

/** URLs that plugins are busy with: one for all who hand over updates of one state. */
export class UrlTurns {
  readonly #busy = new Map<string, Promise<void>>();

  /** Whether somebody has the turn. */
  isTaken(url: string): boolean {
    return this.#busy.has(url);
  }

  /** Waits until whoever has the turn is done; somebody else may take it then. */
  async wait(url: string, signal: AbortSignal): Promise<void> {
    await abortable(Promise.resolve(this.#busy.get(url)), signal);
  }

  /** Takes the turn, which nobody has, until what it returns is disposed of. */
  take(url: string): Disposable {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#busy.set(url, promise);
    return {
      [Symbol.dispose]: () => {
        this.#busy.delete(url);
        resolve();
      },
    };
  }
}
