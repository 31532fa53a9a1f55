/**
 * Callers of `publish()` wait until their updates are in the bucket, whichever process uploads them.
 *
 * @module
 */
import { withDeadline } from "../base/deadline.ts";
import type { Clock } from "../base/environment.ts";
import {
  AccessDeniedError,
  ClosedError,
  ConfigError,
  messageOf,
  StoreUnavailableError,
} from "../errors.ts";
import { plus, type Row } from "../log/positions.ts";
import type { State } from "../state/state.ts";
import type { StoredCommit } from "./commit.ts";
import { type StoredRows, storedRows } from "./uploaded_rows.ts";

/** Errors, by name, that another attempt does not fix: callers do not wait for one. */
const REFUSALS = { AccessDeniedError, ConfigError };

const TIME_IS_UP = Symbol("time is up");

/** Options of {@linkcode Waiters.wait}. */
export interface WaitOptions {
  readonly timeoutMs: number;
  /** How many rows the caller waits for: the given one and those just before it. @default 1 */
  readonly rows?: number;
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  readonly row: Row;
  /** In milliseconds since 1970. */
  readonly since: number;
  /** What this process has stored since then. */
  readonly stored: StoredRows[];
  resolve(): void;
  reject(error: Error): void;
}

/** A failed upload, as the process that uploads notes it for the others. */
interface Failure {
  /** In milliseconds since 1970. */
  readonly time: number;
  /** The name of the error. */
  readonly name: string;
  readonly message: string;
}

/** Waits for rows of the outbox, whichever process uploads them. */
export class Waiters {
  readonly #clock: Clock;
  readonly #state: State;
  readonly #waiting = new Set<Waiter>();
  #looking: Promise<Row> | undefined;
  #lastError: unknown;
  #wasRefused = false;
  #closed: ClosedError | undefined;
  /** Rows in memory whose publishers were told that they are not uploaded. */
  readonly #told = new Set<Row>();

  constructor(clock: Clock, state: State) {
    this.#clock = clock;
    this.#state = state;
  }

  /**
   * Waits until the row, and so all rows before it, are uploaded; resolves to what this process has
   * stored meanwhile. When this throws, the row stays queued.
   *
   * @throws {StoreUnavailableError} after `timeoutMs`, with the reason of the last failure.
   * @throws {AccessDeniedError | ConfigError} as soon as the store refuses this process or another one.
   * @throws {ClosedError} when the connection is closed first.
   */
  async wait(
    row: Row,
    { timeoutMs, rows = 1, signal }: WaitOptions,
  ): Promise<readonly StoredRows[]> {
    signal?.throwIfAborted();
    if (this.#closed) {
      if (row <= this.#state.ownStream.uploadedRow()) return [];
      this.#noteTold(row, rows);
      throw this.#closed;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const since = Math.round(this.#clock.now());
    const waiter: Waiter = { row, since, stored: [], resolve, reject };
    this.#waiting.add(waiter);
    // It may be uploaded already, if a request is repeated.
    this.#uploadedRow().then((uploaded) => row <= uploaded && resolve(), reject);
    const limit = {
      clock: this.#clock,
      timeoutMs,
      signal,
      timeoutReason: () => TIME_IS_UP,
    };
    try {
      await withDeadline(() => promise, limit).catch((error) => {
        if (error !== TIME_IS_UP) throw error;
        this.lookAtOthers(); // Another process may have uploaded the row, or know why it cannot.
        reject(this.#timeout(timeoutMs, since));
        return promise;
      });
      return waiter.stored;
    } catch (error) {
      if (!signal?.aborted) this.#noteTold(row, rows);
      throw error;
    } finally {
      this.#waiting.delete(waiter);
    }
  }

  /** Looks it up once for all that ask in one turn of the event loop. */
  #uploadedRow(): Promise<Row> {
    return this.#looking ??= Promise.resolve().then(() => {
      this.#looking = undefined;
      return this.#state.ownStream.uploadedRow();
    });
  }

  /** Resolves for all rows up to the end of the commit: they are in the bucket. */
  uploaded(commit: StoredCommit): void {
    const { row } = commit.rows[commit.rows.length - 1];
    this.#lastError = undefined;
    this.#wasRefused = false;
    for (const told of this.#told) if (told <= row) this.#told.delete(told);
    const rows = storedRows(commit);
    for (const { stored } of this.#waiting) stored.push(rows);
    this.#resolve(row);
  }

  /**
   * Tells callers and other processes that an upload failed. The first of several refusals is not told, because
   * it may come from a proxy, or from a server that does not know a new key yet. Returns whether it was that.
   */
  failed(error: unknown): boolean {
    this.#lastError = error;
    const refusal = error instanceof Error ? this.#refusal(error) : undefined;
    const isFirst = refusal !== undefined && !this.#wasRefused;
    this.#wasRefused = refusal !== undefined;
    if (isFirst) return true;
    this.#tellOthers(error);
    if (refusal) this.#rejectAll(refusal);
    return false;
  }

  /** Whether anybody waits. */
  get areWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Resolves for rows that were uploaded otherwise: by another process, or an attempt that seemed to fail. */
  look(): void {
    if (this.#waiting.size > 0) this.#resolve(this.#state.ownStream.uploadedRow());
  }

  /** The same, and rejects when another process reports that the store refuses it. */
  lookAtOthers(): void {
    this.look();
    const failure = this.#waiting.size > 0 ? this.#othersFailure() : undefined;
    const refusal = failure && this.#refusal(failure);
    if (!refusal) return;
    for (const waiter of this.#waiting) if (isNews(failure, waiter)) waiter.reject(refusal);
  }

  /** Whether the publishers of all queued rows were told that these are not uploaded. */
  get haveToldAll(): boolean {
    const { outbox, ownStream } = this.#state;
    const last = outbox.lastRow();
    for (let row = plus(ownStream.uploadedRow(), 1); row <= last; row = plus(row, 1)) {
      if (!this.#told.has(row)) return false;
    }
    return true;
  }

  #noteTold(row: Row, rows: number): void {
    if (!this.#state.isInMemory) return; // A file keeps the rows.
    for (let back = 0; back < rows; back++) this.#told.add(plus(row, -back));
  }

  /** Why the last attempt to upload failed; undefined when it succeeded. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Whether another attempt may succeed. */
  canPass(error: unknown): boolean {
    return !(error instanceof Error && this.#refusal(error));
  }

  /** Rejects all waiting calls, now and from now on. */
  close(): void {
    this.#closed = new ClosedError(
      `The connection was closed before the store had the update${this.#becomesOfQueue()}`,
      { cause: this.#lastError },
    );
    this.#rejectAll(this.#closed);
  }

  #becomesOfQueue(): string {
    try {
      return ` (${this.#queued()})`;
    } catch {
      return ""; // The state cannot be read.
    }
  }

  #rejectAll(error: Error): void {
    for (const waiter of this.#waiting) waiter.reject(error);
  }

  #resolve(row: Row): void {
    for (const waiter of this.#waiting) if (waiter.row <= row) waiter.resolve();
  }

  #timeout(timeoutMs: number, since: number): StoreUnavailableError {
    const reason = this.#reason(since) ?? `The store has not answered for ${timeoutMs / 1000} s`;
    return new StoreUnavailableError(`${reason} (${this.#queued()})`, {
      cause: this.#lastError,
      queued: this.#state.queued(),
    });
  }

  /** Why this process could not upload, or another one since the waiting began. */
  #reason(since: number): string | undefined {
    if (this.#lastError) return messageOf(this.#lastError);
    const failure = this.#othersFailure();
    return failure && isNews(failure, { since }) ? failure.message : undefined;
  }

  /** The error for all callers when the store refuses; undefined when waiting may help. */
  #refusal(failure: Error | Failure): Error | undefined {
    const { name, message } = failure;
    if (!Object.hasOwn(REFUSALS, name)) return undefined;
    const Refusal = REFUSALS[name as keyof typeof REFUSALS];
    const cause = failure instanceof Error ? failure : undefined;
    return new Refusal(`${message} (${this.#queued()})`, { cause });
  }

  #tellOthers(error: unknown): void {
    const name = error instanceof Error ? error.name : "Error";
    const fact = `${Math.round(this.#clock.now())} ${name} ${messageOf(error)}`;
    try {
      this.#state.transaction(() => this.#state.setFact("uploadError", fact), { durable: false });
    } catch {
      // On a full disk the others only time out.
    }
  }

  /** The last failure that any process has noted, however long ago. */
  #othersFailure(): Failure | undefined {
    const fact = /^(\d+) (\w+) (.*)$/s.exec(String(this.#state.fact("uploadError")));
    if (!fact) return undefined;
    const [, time, name, message] = fact;
    return { time: Number(time), name, message };
  }

  #queued(): string {
    return describeQueue(this.#state);
  }
}

/** Whether it failed during the waiting: an earlier problem may be solved, and its process long gone. */
function isNews({ time }: Failure, { since }: Pick<Waiter, "since">): boolean {
  return time >= since;
}

/** Says how many updates are queued, and what will happen to them. */
export function describeQueue(state: State): string {
  const queued = state.queued();
  const updates = queued === 1 ? "update is" : "updates are";
  return state.isInMemory
    ? `${queued} ${updates} queued in memory only, and lost unless the store allows the upload ` +
      "before the process ends"
    : `${queued} ${updates} queued and safe, and uploaded when the store allows it`;
}
