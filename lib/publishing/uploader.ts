/**
 * The uploader brings the rows of the outbox into the bucket, commit by commit, and keeps the tail small. One
 * process per state file does that. The others wait for it, or take its place.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
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
import type { ObjectName } from "../log/names.ts";
import type { Row } from "../log/positions.ts";
import { sleep } from "../base/environment.ts";
import { messageOf } from "../errors.ts";
import { EncryptionGuard } from "./encryption_guard.ts";
import { knownTail } from "./forks/detect.ts";
import { takeUploaded } from "./own_updates.ts";
import { KeptCommits } from "./kept_commits.ts";
import { ReadBackReader } from "./forks/read_back.ts";
import { ForkChecks } from "./forks/schedule.ts";
import { FULL_SEGMENT_BYTES, needsSealing } from "./seal.ts";
import type { FileNotifier } from "../base/file_notifier.ts";
import type { FileLock } from "../state/lock.ts";
import type { StoredRows } from "./uploaded_rows.ts";
import { GARBAGE_DELAY_MS, Tidying } from "./tidying.ts";
import { describeQueue, Waiters, type WaitOptions } from "./waiters.ts";

const logger = getLogger(["feedsync", "publish"]);

/** How often a process looks for changes that others made to a shared state file: at most, and while it waits for these. */
const SHARED_STATE_POLL_MS = 50, AWAITED_STATE_POLL_MS = 5;

/** The subject of problems that hold up uploading. */
const UPLOAD = "upload";

const RETRYING = "uploading is tried again";

const RETRY_RANGE = { minMs: 250, maxMs: 10_000 };

/** A refused upload is tried again after this time, before any caller is told. */
const SECOND_LOOK_MS = 1_000;

/** What an {@linkcode Uploader} is made of. */
export interface UploaderParts extends Core {
  /** The process that holds it uploads. */
  readonly lock: FileLock;
  /** Tells that process that there is something to upload. */
  readonly notifier: FileNotifier;
  /** Whether this server also applies its own updates. */
  readonly includeOwn: boolean;
  /** The least time from one commit to the next. */
  readonly commitIntervalMs: number;
  /** Whether other processes may use the state, too. */
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
  readonly #encryptionGuard = new EncryptionGuard();
  readonly #tidying = new Tidying(() => this.#wakeUp.set());
  readonly #problems: OnceLog;
  readonly #stopping = new AbortController();
  readonly #forced = new AbortController();
  #context: UploadContext | undefined;
  #nextCommit = -Infinity;
  readonly #backoff: Backoff;
  #version = 0;
  #running: Promise<void> | undefined;

  constructor(parts: UploaderParts) {
    this.#parts = parts;
    this.#wakeUp = new AutoResetEvent(parts.environment.clock);
    this.#backoff = new Backoff(parts.environment.random, RETRY_RANGE);
    this.#waiters = new Waiters(parts.environment.clock, parts.state);
    this.#forkChecks = new ForkChecks(parts.environment.clock);
    this.#problems = new OnceLog(logger, parts.environment.clock);
  }

  /** Starts to upload. If it already does, it looks for new rows now. */
  start(): void {
    this.#running ??= this.#run();
    this.#wakeUp.set();
  }

  /**
   * Waits until the row, and so all rows before it, are in the bucket; resolves as {@linkcode Waiters.wait} does.
   *
   * @throws as {@linkcode Waiters.wait} does.
   */
  async whenUploaded(row: Row, options: WaitOptions): Promise<readonly StoredRows[]> {
    this.start();
    if (!this.#context) this.#parts.notifier.notify();
    return await this.#waiters.wait(row, options);
  }

  /**
   * To be called before somebody else lists the tail. The returned function takes that listing, and starts the
   * uploader if it must be checked for forks.
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

  /** See {@linkcode Waiters.lastError}. */
  get lastError(): unknown {
    return this.#waiters.lastError;
  }

  /** See {@linkcode Waiters.haveToldAll}. */
  get haveToldAll(): boolean {
    return this.#waiters.haveToldAll;
  }

  /**
   * Uploads the queued rows if the store answers within `timeoutMs`, then stops. After a failure it stops at
   * once when the rows are in a file; rows that are only in memory are tried again until the time is up.
   */
  async close({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    const cancel = this.#parts.environment.clock.setTimer(timeoutMs, () => this.#forced.abort());
    if (this.#parts.state.queued() > 0) this.start();
    this.#backoff.succeed(); // Starts again with short delays, as time may be short.
    this.#stopping.abort();
    this.#wakeUp.set();
    await this.#running;
    cancel();
    this.#forced.abort(); // After a failure, what goes on beside the uploads can be done later.
    await this.#tidying.end().catch(() => {});
    this.#waiters.close();
    await this.#parts.notifier[Symbol.asyncDispose]();
    this.#parts.lock[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    for (;;) {
      try {
        const busy = this.#becomeUploader() && await this.#turn(this.#forced.signal);
        if (!this.#tidying.isRunning) this.#succeed();
        if (busy) continue;
        if (this.#stopping.signal.aborted) return;
        await this.#idle();
      } catch (error) {
        if (this.#forced.signal.aborted || !await this.#recover(error)) return;
      }
    }
  }

  #succeed(): void {
    this.#backoff.succeed();
    this.#problems.resolved(UPLOAD, { text: "Uploading works again" });
  }

  /** Returns whether this process is the uploader. */
  #becomeUploader(): boolean {
    if (this.#context) return true;
    const { lock, log, environment } = this.#parts;
    if (!lock.tryAcquire()) return false;
    const objects = new ReadBackReader(log, environment);
    const writer = environment.random.token();
    const kept = new KeptCommits(FULL_SEGMENT_BYTES);
    this.#context = { ...this.#parts, problems: this.#problems, objects, kept, writer };
    return true;
  }

  /** Checks and uploads once, and begins to tidy up; returns whether there may be more to do at once. */
  async #turn(signal: AbortSignal): Promise<boolean> {
    const context = this.#context!;
    const { state, environment: { clock } } = this.#parts;
    const isStopping = this.#stopping.signal.aborted;
    // Before anything is written: the check for forks may publish again.
    await this.#encryptionGuard.admit(context, { signal });
    // It may also begin a new stream, so nothing is sealed meanwhile.
    const waits = isStopping || this.#forkChecks.isDue || !this.#tidying.isRunning;
    if (waits) await this.#tidying.end();
    await this.#follow(this.#forkChecks.checkWhenDue(context, { signal }));
    const due = clock.elapsed() >= this.#nextCommit || isStopping;
    const commit = due ? nextCommit(context) : undefined;
    if (commit) await this.#upload(context, commit, signal);
    if (!this.#tidying.isRunning) await this.#tidy(context, signal);
    return commit !== undefined && state.queued() > 0 || isStopping && this.#tidying.isRunning;
  }

  /** Begins to seal, and to delete garbage, if there is something to do. */
  async #tidy(context: UploadContext, signal: AbortSignal): Promise<void> {
    await this.#tidying.end();
    const isSealing = needsSealing(context.state.ownStream);
    if (isSealing) await this.#follow(this.#forkChecks.checkBeforeSealing(context, { signal }));
    if (isSealing || this.#untilGarbage() <= 0) this.#tidying.start(context, { isSealing, signal });
  }

  async #upload(context: UploadContext, commit: Commit, signal: AbortSignal): Promise<void> {
    const { state, environment: { clock }, commitIntervalMs } = this.#parts;
    const { ownStream } = state;
    this.#nextCommit = clock.elapsed() + commitIntervalMs;
    // If a crash of the machine took the record of the first commit, nobody would miss that commit once it has
    // expired, and its seqs would be used again. So its rows are synced before the PUT, and the record after it.
    const { base, uploadedRow } = ownStream.load();
    const isFirst = uploadedRow === base;
    if (isFirst) state.transaction(() => ownStream.save({ uploadedRow })); // Syncs all earlier writes, too.
    const stored = await putCommit(context, commit, { signal });
    context.kept.add(stored);
    this.#announce([stored]);
    const { name: { key, first, last }, bytes, rows } = commit;
    const lastRow = rows[rows.length - 1].row;
    this.#waiters.uploaded(stored);
    // Later ones are not synced: after a crash of the machine, these rows are only sent again.
    state.transaction(() => {
      ownStream.addCommit({ key, first, last, bytes });
      ownStream.save({ uploadedRow: lastRow });
      takeUploaded(context);
      this.#encryptionGuard.uploaded(context);
    }, { durable: isFirst });
    if (isFirst) state.checkpoint(); // A copy without the log must have the record, too.
  }

  /** Tells what a check for forks has stored, or found to be stored. */
  async #follow(check: Promise<readonly StoredCommit[]>): Promise<void> {
    this.#announce(await check);
    this.#waiters.look();
  }

  #announce(commits: readonly StoredCommit[]): void {
    for (const commit of commits) for (const tell of this.onCommit) tell(commit);
  }

  /** Waits until something may be to do. */
  async #idle(): Promise<void> {
    const { environment: { clock }, isShared } = this.#parts;
    const until = this.#nextDuty();
    for (;;) {
      const left = Math.max(0, until - clock.elapsed());
      const isAwaited = !this.#context && this.#waiters.areWaiting;
      const pollMs = isAwaited ? AWAITED_STATE_POLL_MS : SHARED_STATE_POLL_MS;
      const isWoken = await this.#wakeUp.wait(isShared ? Math.min(left, pollMs) : left);
      const changed = isShared && this.#hasChanged();
      if (changed) this.#waiters.lookAtOthers();
      // Not before: a process that publishes and ends does without.
      if (this.#context && !isWoken) this.#parts.notifier.listen(() => this.#wakeUp.set());
      if (isWoken || changed || !this.#context || clock.elapsed() >= until) return;
    }
  }

  /** Whether another process has written to the state since the last call. */
  #hasChanged(): boolean {
    const before = this.#version;
    return (this.#version = this.#parts.state.dataVersion()) !== before;
  }

  /** When there is something to do even if nothing happens. */
  #nextDuty(): number {
    const { state, environment: { clock } } = this.#parts;
    if (!this.#context) return Infinity;
    const queued = state.queued() > 0 ? this.#nextCommit : Infinity;
    const garbage = this.#tidying.isRunning ? Infinity : clock.elapsed() + this.#untilGarbage();
    return Math.min(this.#forkChecks.nextCheck, queued, garbage);
  }

  /** The time until garbage is deleted, in milliseconds. */
  #untilGarbage(): number {
    const { state: { ownStream }, environment: { clock } } = this.#parts;
    return ownStream.nextGarbage() + GARBAGE_DELAY_MS - clock.now();
  }

  /** Tells the callers, and waits for the next attempt; returns false if there is none. */
  async #recover(error: unknown): Promise<boolean> {
    let looksAgain = false;
    try {
      looksAgain = this.#waiters.failed(error);
    } catch {
      // The state cannot be read: the callers only time out.
    }
    const isStopping = this.#stopping.signal.aborted;
    if (isStopping && !this.#mustTryAgain(error)) return false;
    this.#warn(error);
    const delayMs = this.#backoff.fail();
    const { signal } = isStopping ? this.#forced : this.#stopping;
    const waitMs = looksAgain ? SECOND_LOOK_MS : delayMs;
    await sleep(this.#parts.environment.clock, waitMs, signal).catch(() => {});
    return true;
  }

  /** Rows that are only in memory would be lost. */
  #mustTryAgain(error: unknown): boolean {
    const { state } = this.#parts;
    return state.isInMemory && state.queued() > 0 && this.#waiters.canPass(error);
  }

  #warn(error: unknown): void {
    const properties = { message: messageOf(error), plan: this.#plan() };
    const kind = error instanceof Error ? error.name : "";
    this.#problems.problem(UPLOAD, { text: "{message} ({plan})", properties, kind });
  }

  /** What happens next. Nothing is queued when sealing or a check has failed. */
  #plan(): string {
    try {
      const { state } = this.#parts;
      return state.queued() > 0 ? `${RETRYING}; ${describeQueue(state)}` : RETRYING;
    } catch {
      return RETRYING; // The state cannot be read.
    }
  }
}
