/**
 * Ends what takes too long.
 *
 * @module
 */
import type { Clock } from "./environment.ts";

/** Ends work when its time is over or its caller wants to end it. */
export class Deadline implements Disposable {
  readonly #clock: Clock;
  readonly #caller: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #onAbort = () => this.#end(this.#caller!.reason);
  #cancelTimer = () => {};

  /** A deadline that has no time yet; `caller` ends it early. */
  constructor(clock: Clock, caller: AbortSignal | undefined) {
    this.#clock = clock;
    this.#caller = caller;
    if (caller?.aborted) this.#end(caller.reason);
    else caller?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Aborted at the end of the time, or by the caller with the caller's reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on the work has `ms`. */
  allow(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.setTimer(ms, () => {
      const message = `no complete answer within ${Math.round(ms / 1_000)} s`;
      this.#end(new DOMException(message, "TimeoutError"));
    });
  }

  /** What `work` resolves to; rejects at the end of the time even if `work` ignores the signal. */
  race<T>(work: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const end = () => reject(this.signal.reason);
    if (this.signal.aborted) end();
    else this.signal.addEventListener("abort", end, { once: true });
    work.then(resolve, reject);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }

  #end(reason: unknown): void {
    this.#cancelTimer();
    this.#controller.abort(reason);
  }
}
