/**
 * Publishes the feed files of a directory as they change.
 *
 * @module
 */
import { resolve } from "node:path";
import { abortable } from "../../base/deadline.ts";
import type { Environment } from "../../base/environment.ts";
import { OnceLog } from "../../base/once_log.ts";
import { hidePasswordsIn } from "../../base/redact.ts";
import { messageOf } from "../../errors.ts";
import type { PluginLogger } from "../../plugin.ts";
import { FeedDirectory } from "../feed_directory.ts";
import type { FileRecords } from "../file_records.ts";
import { Debouncer, type Outcome } from "./debouncer.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import { ExaminedFiles } from "./examined_files.ts";
import { Examiner } from "./examiner.ts";
import { RemovalGuard } from "./removal_guard.ts";
import { findChanges, reportOn, type RunningScan, type ScanReport } from "./scan.ts";

/** Options of {@linkcode FileWatcher}. */
export interface FileWatcherOptions {
  /** Clock and timers. */
  readonly environment: Environment;
  /** A file that has not changed for so long is taken to be complete. */
  readonly settleMs: number;
  /** Time between two scans of the whole directory. */
  readonly rescanMs: number;
  /** Whether it is published that a feed is gone when its file is; `all`: however many at once. */
  readonly publishRemovals: boolean | "all";
  /** Publish what mirror received where the bucket does not know the feed. @default false */
  readonly publishReceived?: boolean | undefined;
  /** Logs problems: when they begin, every hour, and when they end. */
  readonly logger: PluginLogger;
  /**
   * Resolves to whether it is known what others have published; rejects with what keeps it from being
   * known. Before that, nothing is published: all content would look new. @default it is known
   */
  readonly isRestored?: (signal: AbortSignal) => Promise<boolean>;
  /**
   * Resolves when all is known that others have published by now; rejects with what keeps it from being
   * known. Before that, no removal is published: the file may have made way for something newer.
   * @default it is known
   */
  readonly catchUp?: (signal: AbortSignal) => Promise<void>;
}

/** How often to ask whether it is known what others have published. */
const RESTORE_INTERVAL_MS = 1_000;

/** So many files that are left alone are named. */
const MAX_NAMED = 5;

/**
 * Watches the `.feed` files directly in a directory and publishes each that changed, once it has
 * come to rest: of rapid changes only the last, and content that ends in the middle only when nothing
 * follows for a while. A file that never rests is never read, and an empty one is not published; a
 * warning says so. Links to regular files are followed (the next scan finds a change of the target);
 * hidden files, subdirectories and all else that is not a regular file are ignored.
 *
 * The directory may be missing, or be deleted and made again: watching goes on when it is there. No
 * file stops the watcher; what is wrong with one is logged and tried again at every scan.
 */
export class FileWatcher implements AsyncDisposable {
  readonly #directory: FeedDirectory;
  readonly #records: FileRecords;
  readonly #options: FileWatcherOptions;
  /** What is wrong with the directory. */
  readonly #problems: OnceLog;
  /** What is wrong with files: apart, so that many of them hide nothing of the directory. */
  readonly #fileProblems: OnceLog;
  readonly #guard: RemovalGuard;
  readonly #examiner: Examiner;
  readonly #debouncer: Debouncer;
  readonly #closing = new AbortController();
  readonly #left: string[] = [];
  #foreignCount = 0;
  #runningScans = 0;
  #isRestored = false;
  #lastScan: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> | undefined;

  /** For the directory at this path; nothing happens before `start` or `scan` is called. */
  constructor(directory: string, records: FileRecords, options: FileWatcherOptions) {
    const { environment: { clock }, settleMs, publishRemovals, publishReceived, catchUp } = options;
    const logger = hidePasswordsIn(options.logger);
    const examined = new ExaminedFiles();
    this.#directory = new FeedDirectory(resolve(directory));
    this.#records = records;
    this.#options = { ...options, logger };
    this.#problems = new OnceLog(logger, clock);
    this.#fileProblems = new OnceLog(logger, clock);
    this.#guard = new RemovalGuard(this.#directory, records, {
      clock,
      publishRemovals,
      examined,
      problems: this.#problems,
    });
    this.#examiner = new Examiner(this.#directory, records, {
      clock,
      settleMs,
      publishRemovals,
      publishReceived,
      guard: this.#guard,
      examined,
      problems: this.#fileProblems,
      logger,
      catchUp: catchUp && (() => catchUp(this.#closing.signal)),
    });
    const examine = this.#examiner.examine.bind(this.#examiner);
    this.#debouncer = new Debouncer(clock, settleMs, examine);
  }

  /** Begins to watch, then scans, so that no change falls in between. Returns at once. */
  start(): void {
    this.#watching ??= this.#watch();
  }

  /**
   * Scans all files once, waits until those that changed have come to rest, and publishes them. Finds
   * what changed while nothing was watching. A missing directory is logged, and counts as failed.
   */
  async scan(signal?: AbortSignal): Promise<ScanReport> {
    signal?.throwIfAborted();
    const report = this.#scan(signal).then(reportOn);
    return await (signal ? abortable(report, signal) : report);
  }

  /** Stops. Changes of files that have not come to rest are left to the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watching;
    await this.#lastScan;
    await this.#debouncer.clear();
    await this.#directory[Symbol.asyncDispose]();
  }

  /** The same as {@linkcode FileWatcher.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    const { environment: { clock }, rescanMs } = this.#options;
    // What changes before all is known is found by the scan after that.
    const onChange = (name: string) => {
      if (this.#isRestored) this.#markChanged(name);
    };
    while (!signal.aborted) {
      const options = { clock, onChange, problems: this.#problems };
      await using watch = await DirectoryWatch.open(this.#directory, options);
      await this.#scan();
      const intervalMs = this.#isRestored ? rescanMs : Math.min(rescanMs, RESTORE_INTERVAL_MS);
      await watch.untilInDoubt(intervalMs, signal).catch(() => {});
    }
  }

  /** One scan after the other. */
  #scan(signal?: AbortSignal): Promise<RunningScan> {
    const scan = this.#lastScan.then(() => this.#markChanges(signal));
    this.#lastScan = scan;
    return scan;
  }

  async #markChanges(signal = this.#closing.signal): Promise<RunningScan> {
    const { path } = this.#directory;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    try {
      if (!await this.#restore(either)) return failedScan(path);
      const { identity, isWithheld, files, changed } = await findChanges({
        directory: this.#directory,
        guard: this.#guard,
        examiner: this.#examiner,
        problems: this.#problems,
      }, either);
      this.#problems.resolved(path, { text: `The feed directory '${path}' is there now` });
      const outcomes = new Map<string, Promise<Outcome>>();
      for (const [name, fingerprint] of changed) {
        const outcome = this.#mark(name, fingerprint);
        outcomes.set(this.#directory.pathOf(name), outcome);
        outcome.then((outcome) => this.#logUnsettled(name, outcome));
      }
      if (isWithheld) outcomes.set(path, Promise.resolve<Outcome>("withheld"));
      this.#finishScan([...outcomes.values()], identity);
      return { files, outcomes };
    } catch (error) {
      if (!either.aborted) this.#problems.problem(path, { text: problemWith(path, error) });
      return failedScan(path);
    }
  }

  /** Resolves to whether it is known what others have published; logs why files wait. */
  async #restore(signal: AbortSignal): Promise<boolean> {
    const subject = "what others have published";
    let condition = "it is known";
    try {
      this.#isRestored ||= await this.#options.isRestored?.(signal) ?? true;
    } catch (error) {
      if (signal.aborted) return false;
      condition = `it can be read: ${messageOf(error)}`;
    }
    if (this.#isRestored) {
      this.#problems.resolved(subject);
      return true;
    }
    this.#problems.problem(subject, {
      text:
        "This is a new state, and what others have published is not known yet: the feed files in " +
        `'${this.#directory.path}' wait until ${condition}`,
    });
    return false;
  }

  /** Once all files that it found are examined, old ones are no longer left alone. */
  async #finishScan(
    outcomes: readonly Promise<Outcome>[],
    identity: string | undefined,
  ): Promise<void> {
    this.#runningScans++;
    await Promise.all(outcomes);
    this.#runningScans--;
    if (this.#closing.signal.aborted) return;
    this.#records.noteScanned(this.#directory.path, identity);
    this.#logLeft();
    this.#logForeign();
  }

  /** After an event. */
  async #markChanged(name: string): Promise<void> {
    await this.#mark(name);
    if (this.#runningScans === 0) this.#logLeft();
  }

  async #mark(name: string, fingerprint?: string): Promise<Outcome> {
    const received = this.#examiner.received(name);
    const outcome = await this.#debouncer.mark(name, { fingerprint, received });
    if (outcome === "foreign") this.#foreignCount++;
    if (outcome === "left") this.#left.push(this.#directory.pathOf(name));
    return outcome;
  }

  #logForeign(): void {
    const count = this.#foreignCount;
    this.#foreignCount = 0;
    if (count === 0 || this.#closing.signal.aborted) return;
    this.#options.logger.warn(
      `Not published: ${count} feed files in '${this.#directory.path}' that were received according to ` +
        "their .feed.json, of feeds that this bucket does not know. If they came from another bucket, " +
        "publish them with 'feedsync watch --once --publish-received'",
    );
  }

  #logLeft(): void {
    const left = [...new Set(this.#left.splice(0))].sort();
    if (left.length === 0 || this.#closing.signal.aborted) return;
    const named = left.slice(0, MAX_NAMED).map((path) => `'${path}'`).join(", ");
    const more = left.length > MAX_NAMED ? ` and ${left.length - MAX_NAMED} more` : "";
    this.#options.logger.warn(
      `Not published, since newer updates of their feeds are known than these files: ${named}${more}. ` +
        "What is in them is left alone; save them again to publish it",
    );
  }

  #logUnsettled(name: string, outcome: Outcome): void {
    if (outcome !== "unsettled" || this.#closing.signal.aborted) return;
    if (this.#examiner.isAwaited(name)) return;
    const path = this.#directory.pathOf(name);
    this.#fileProblems.problem(path, {
      text: `The file '${path}' keeps changing: it is read once it has been left alone for ` +
        `${this.#options.settleMs} ms`,
    });
  }
}

function failedScan(path: string): RunningScan {
  return { files: 0, outcomes: new Map([[path, Promise.resolve<Outcome>("failed")]]) };
}

function problemWith(path: string, error: unknown): string {
  return error instanceof Deno.errors.NotFound
    ? `There is no feed directory '${path}': its files are published once it is there`
    : `Cannot scan the feed directory '${path}': ${messageOf(error)}`;
}
