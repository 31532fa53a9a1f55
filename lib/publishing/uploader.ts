/**
 * The uploader: brings the rows of the outbox into the bucket, commit by commit, and keeps the tail
 * small. One process a state file does this; the others wait for it, or take its place.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Backoff } from "../base/backoff.ts";
import { OnceLog } from "../base/once_log.ts";
import { AutoResetEvent } from "../base/event.ts";
import {
  type Commit,
  nextCommit,
  putCommit,
  type StoredCommit,
  type UploadContext,
} from "./commit.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import type { ObjectName } from "../log/names.ts";
import type { Row } from "../log/positions.ts";
import { type Environment, sleep } from "../base/environment.ts";
import { messageOf } from "../errors.ts";
import { knownTail } from "./forks/detect.ts";
import { OwnObjects } from "./forks/own_objects.ts";
import { ForkChecks } from "./forks/schedule.ts";
import { collectGarbage, needsSealing, seal } from "./seal.ts";
import type { FileLock } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import { describeQueue, Waiters, type WaitOptions } from "./waiters.ts";

const logger = getLogger(["feedsync", "publish"]);

/** How often a process looks for what others did with a shared state file, in milliseconds. */
const SHARED_STATE_POLL_MS = 50;

/** Delays after failed attempts. */
const RETRY_RANGE = { minMs: 250, maxMs: 10_000 };

/** A refusal is looked at again after this time, before anybody is told. */
const SECOND_LOOK_MS = 1_000;

/** Garbage is deleted when something is sealed, or after so many milliseconds in which nothing is. */
const GARBAGE_DELAY_MS = 10_000;

/** What the uploader stands on. */
export interface UploaderParts {
  /** The own state. */
  readonly state: State;
  /** Where to. */
  readonly log: BucketLog;
  /** Time and randomness. */
  readonly environment: Environment;
  /** Held by the one process that uploads. */
  readonly lock: FileLock;
  /** What this server publishes is applied here, too. */
  readonly includeOwn: boolean;
  /** Least milliseconds from one commit to the next. */
  readonly commitIntervalMs: number;
  /** Other processes may use the state, too. */
  readonly isShared: boolean;
}

/** Uploads the outbox in the background, from {@linkcode start} until {@linkcode close}. */
export class Uploader {
  /** Called with each commit that is stored. */
  readonly onCommit: ((commit: StoredCommit) => void)[] = [];
  readonly #parts: UploaderParts;
  readonly #wakeUp: AutoResetEvent;
  readonly #waiters: Waiters;
  readonly #forkChecks: ForkChecks;
  readonly #stopping = new AbortController();
  readonly #forced = new AbortController();
  #context: UploadContext | undefined;
  #nextCommit = -Infinity;
  readonly #backoff: Backoff;
  #version = 0;
  #running: Promise<void> | undefined;

  /** An uploader that does nothing yet. */
  constructor(parts: UploaderParts) {
    this.#parts = parts;
    this.#wakeUp = new AutoResetEvent(parts.environment.clock);
    this.#backoff = new Backoff(parts.environment.random, RETRY_RANGE);
    this.#waiters = new Waiters(parts.environment.clock, parts.state);
    this.#forkChecks = new ForkChecks(parts.environment.clock);
  }

  /** Begins to upload; and looks at once when it does already. */
  start(): void {
    this.#running ??= this.#run();
    this.#wakeUp.set();
  }

  /**
   * Waits until the row is in the bucket, and so those before it.
   *
   * @throws {StoreUnavailableError} when that takes longer than `timeoutMs`; the row stays queued.
   * @throws {ClosedError} when the uploader is closed before; the row stays queued.
   */
  async whenUploaded(row: Row, options: WaitOptions): Promise<void> {
    this.start();
    await this.#waiters.wait(row, options);
  }

  /**
   * Called before a listing of the tail begins, which is made anyway; the returned function takes it, and
   * starts the uploader if there is something to look into.
   */
  expectListing(): (tails: ReadonlyMap<string, readonly ObjectName[]>) => void {
    const { state, environment: { clock } } = this.#parts;
    const known = knownTail(state);
    return (tails) => {
      const commitsOf = (stream: string) => tails.get(stream) ?? [];
      const former = state.former.all(clock.now()).flatMap(({ stream }) => commitsOf(stream));
      const tail = { ...known, commits: [...commitsOf(known.before.stream)], former };
      if (this.#forkChecks.take(tail, this.#context)) this.start();
    };
  }

  /** Why the last attempt to upload failed; undefined when it did not. */
  get lastError(): unknown {
    return this.#waiters.lastError;
  }

  /** Whether all who published what is still queued know that. */
  get haveToldAll(): boolean {
    return this.#waiters.haveToldAll;
  }

  /**
   * Uploads what is queued if the store answers within `timeoutMs`, then stops. A failure ends it at once
   * when the next process can take over; what only memory holds is tried again until the time is up.
   */
  async close({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    const cancel = this.#parts.environment.clock.setTimer(timeoutMs, () => this.#forced.abort());
    if (this.#parts.state.queued() > 0) this.start();
    this.#backoff.succeed(); // The delays begin anew: there may be little time.
    this.#stopping.abort();
    this.#wakeUp.set();
    await this.#running;
    cancel();
    this.#waiters.close();
    this.#parts.lock[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    for (;;) {
      try {
        const busy = this.#becomeUploader() && await this.#turn(this.#forced.signal);
        this.#backoff.succeed();
        if (busy) continue;
        if (this.#stopping.signal.aborted) return;
        await this.#idle();
      } catch (error) {
        if (this.#forced.signal.aborted || !await this.#recover(error)) return;
      }
    }
  }

  /** True when this process is the one that uploads. */
  #becomeUploader(): boolean {
    if (this.#context) return true;
    const { lock, log, environment } = this.#parts;
    if (!lock.tryAcquire()) return false;
    const objects = new OwnObjects(log, environment);
    const problems = new OnceLog(logger, environment.clock);
    const writer = environment.random.token();
    this.#context = { ...this.#parts, problems, objects, writer };
    return true;
  }

  /** One round of work; false when there was none. */
  async #turn(signal: AbortSignal): Promise<boolean> {
    const context = this.#context!;
    const { state, environment: { clock } } = this.#parts;
    this.#announce(await this.#forkChecks.checkWhenDue(context, { signal }));
    this.#waiters.look();
    const due = clock.elapsed() >= this.#nextCommit || this.#stopping.signal.aborted;
    const commit = due ? nextCommit(context) : undefined;
    if (commit) await this.#upload(context, commit, signal);
    const isSealing = needsSealing(state.ownStream);
    if (isSealing) {
      this.#announce(await this.#forkChecks.checkBeforeSealing(context, { signal }));
      await seal(context, { signal });
    }
    await collectGarbage(context, { overdueMs: isSealing ? 0 : GARBAGE_DELAY_MS, signal });
    return commit !== undefined;
  }

  async #upload(context: UploadContext, commit: Commit, signal: AbortSignal): Promise<void> {
    const { state, environment: { clock }, commitIntervalMs } = this.#parts;
    const { ownStream } = state;
    this.#nextCommit = clock.elapsed() + commitIntervalMs;
    // A stream of which nothing is known to be uploaded would not be missed once it has expired: so
    // that its numbers are never used again, the first commit must outlive a crash of the machine.
    const { base, uploadedRow } = ownStream.load();
    const isFirst = uploadedRow === base;
    if (isFirst) state.transaction(() => ownStream.save({ uploadedRow })); // Syncs its rows, too.
    this.#announce([await putCommit(context, commit, { signal })]);
    const { name: { key, first, last }, bytes, rows } = commit;
    const lastRow = rows[rows.length - 1].row;
    this.#waiters.uploaded(lastRow);
    // Later ones are not synced: a crash of the machine in between only sends these rows again.
    state.transaction(() => {
      ownStream.addCommit({ key, first, last, bytes });
      ownStream.save({ uploadedRow: lastRow });
    }, { durable: isFirst });
    if (isFirst) state.checkpoint(); // Also a copy that lacks the log must know of it.
  }

  #announce(commits: readonly StoredCommit[]): void {
    for (const commit of commits) for (const tell of this.onCommit) tell(commit);
  }

  /** Waits until there may be something to do. */
  async #idle(): Promise<void> {
    const { environment: { clock }, isShared } = this.#parts;
    const until = this.#nextDuty();
    for (;;) {
      const left = Math.max(0, until - clock.elapsed());
      const isWoken = await this.#wakeUp.wait(
        isShared ? Math.min(left, SHARED_STATE_POLL_MS) : left,
      );
      const changed = isShared && this.#hasChanged();
      if (changed) this.#waiters.lookAtOthers();
      if (isWoken || changed || !this.#context || clock.elapsed() >= until) return;
    }
  }

  /** Whether another process has written to the state since this was asked before. */
  #hasChanged(): boolean {
    const before = this.#version;
    return (this.#version = this.#parts.state.dataVersion()) !== before;
  }

  /** When something is to be done even if nobody asks for it. */
  #nextDuty(): number {
    const { state, environment: { clock } } = this.#parts;
    if (!this.#context) return Infinity;
    const queued = state.queued() > 0 ? this.#nextCommit : Infinity;
    const garbage = clock.elapsed() + state.ownStream.nextGarbage() + GARBAGE_DELAY_MS -
      clock.now();
    return Math.min(this.#forkChecks.nextCheck, queued, garbage);
  }

  /** Tells who waits, and waits before the next attempt; false when there is to be none. */
  async #recover(error: unknown): Promise<boolean> {
    let looksAgain = false;
    try {
      looksAgain = this.#waiters.failed(error);
    } catch {
      // The state cannot be read: they learn that their time is up.
    }
    const isStopping = this.#stopping.signal.aborted;
    if (isStopping && !this.#mustTryAgain(error)) return false;
    if (this.#backoff.failures === 0) this.#warn(error);
    const delayMs = this.#backoff.fail();
    const { signal } = isStopping ? this.#forced : this.#stopping;
    const waitMs = looksAgain ? SECOND_LOOK_MS : delayMs;
    await sleep(this.#parts.environment.clock, waitMs, signal).catch(() => {});
    return true;
  }

  /** What is left in memory would be lost. */
  #mustTryAgain(error: unknown): boolean {
    const { state } = this.#parts;
    return state.isInMemory && state.queued() > 0 && this.#waiters.canPass(error);
  }

  #warn(error: unknown): void {
    logger.warn("{message} ({plan})", { message: messageOf(error), plan: this.#plan() });
  }

  /** What comes of a failure; nothing is queued when it was in sealing or looking around. */
  #plan(): string {
    try {
      const { state } = this.#parts;
      return state.queued() > 0 ? `retrying; ${describeQueue(state)}` : "retrying";
    } catch {
      return "retrying"; // The state cannot be read.
    }
  }
}
