/**
 * Ends what takes too long, or what nobody waits for any more.
 *
 * @module
 */
import type { Clock } from "./environment.ts";

/** Options of {@linkcode Deadline}. */
export interface DeadlineOptions {
  /** When the caller wants to end the work, it still has so much time. @default 0 */
  readonly graceMs?: number;
}

/** Ends work when its time is over or its caller wants to end it. The time can be set anew. */
export class Deadline implements Disposable {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  #forgetCaller = () => {};
  #cancelTimer = () => {};

  /** A deadline that has no time yet; `caller` ends it early, with its reason. */
  constructor(clock: Clock, caller?: AbortSignal, { graceMs = 0 }: DeadlineOptions = {}) {
    this.#clock = clock;
    if (caller) this.heed(caller, { graceMs });
  }

  /** Aborted at the end of the time, or by the caller with the caller's reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on `caller` ends the work early, with its reason. */
  heed(caller: AbortSignal, { graceMs = 0 }: DeadlineOptions = {}): void {
    const onAbort = () => {
      if (graceMs > 0) this.allow(graceMs, () => caller.reason);
      else this.abort(caller.reason);
    };
    if (caller.aborted) return onAbort();
    caller.addEventListener("abort", onAbort, { once: true });
    this.#forgetCaller = () => caller.removeEventListener("abort", onAbort);
  }

  /** From now on the work has `ms`; then it ends with `reason()`. @default a `TimeoutError` */
  allow(ms: number, reason: () => unknown = () => timeoutError(ms)): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.setTimer(ms, () => this.abort(reason()));
  }

  /** What `work` resolves to; rejects at the end of the time even if `work` ignores the signal. */
  race<T>(work: Promise<T>): Promise<T> {
    return abortable(work, this.signal);
  }

  /** Ends the work now. */
  abort(reason?: unknown): void {
    this.#cancelTimer();
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.#forgetCaller();
  }
}

/** Options of {@linkcode withDeadline}. */
export interface TimeLimit {
  /** Measures the time. */
  readonly clock: Clock;
  /** How long the work may take. */
  readonly timeoutMs: number;
  /** Ends the work early, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** What the work ends with when its time is over. @default a `TimeoutError` */
  readonly timeoutReason?: () => unknown;
}

/**
 * What `work` returns or resolves to. When its time is over, aborts the signal that `work` was given and
 * rejects, even if `work` goes on. Nothing is waited for if `work` does not wait.
 */
export function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  limit: TimeLimit,
): Promise<T>;
export function withDeadline<T>(
  work: (signal: AbortSignal) => T | Promise<T>,
  limit: TimeLimit,
): T | Promise<T>;
export function withDeadline<T>(
  work: (signal: AbortSignal) => T | Promise<T>,
  limit: TimeLimit,
): T | Promise<T> {
  const { clock, signal } = limit, deadline = new Deadline(clock);
  if (signal?.aborted) deadline.abort(signal.reason);
  const result = work(deadline.signal);
  return isThenable(result) ? endInTime(Promise.resolve(result), deadline, limit) : result;
}

async function endInTime<T>(
  result: Promise<T>,
  deadline: Deadline,
  { timeoutMs, signal, timeoutReason }: TimeLimit,
): Promise<T> {
  using _deadline = deadline;
  if (signal) deadline.heed(signal);
  deadline.allow(timeoutMs, timeoutReason);
  return await deadline.race(result);
}

/**
 * What `work` resolves to; rejects with the reason of `signal` as soon as that is aborted. Unlike
 * `Promise.race`, it leaves no listener behind, and no rejection of `work` unhandled.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  return promise;
}

/** Whether the value must be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}

function timeoutError(ms: number): DOMException {
  return new DOMException(`no complete answer within ${Math.round(ms / 1_000)} s`, "TimeoutError");
}
