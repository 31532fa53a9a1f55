/**
 * Publishes the feed files of a directory as they change.
 *
 * @module
 */
import { resolve } from "node:path";
import type { Environment } from "../../base/environment.ts";
import { OnceLog } from "../../base/once_log.ts";
import { messageOf } from "../../errors.ts";
import type { PluginLogger } from "../../plugin.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import { Examiner } from "./examiner.ts";
import { FeedDirectory } from "../feed_directory.ts";
import type { FileRecords } from "../known_files.ts";
import { findChanges } from "./scan.ts";
import { hidePasswordsIn } from "../../base/redact.ts";
import { type Look, reportOf, type ScanReport } from "./scan_report.ts";
import { Debouncer, type Outcome } from "./debouncer.ts";

/** Options of {@linkcode FileWatcher}. */
export interface FileWatcherOptions {
  /** Clock and timers. */
  readonly environment: Environment;
  /** Milliseconds without a change after which a file is taken to be complete. */
  readonly settle: number;
  /** Milliseconds between two looks at the whole directory. */
  readonly rescan: number;
  /** Whether it is published that a feed is gone when its file is; `all`: however many at once. */
  readonly publishRemovals: boolean | "all";
  /** Publish what mirror received where the bucket does not know the feed. @default false */
  readonly publishReceived?: boolean | undefined;
  /** Where problems are told, each once. */
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

/** How often it is asked whether it is known what others have published: milliseconds. */
const RESTORE_INTERVAL = 1_000;

/** So many files that are left alone are named. */
const MOST_NAMED = 5;

/**
 * Watches the `.feed` files directly in a directory and publishes each that changed, once it has
 * come to rest: of rapid changes only the last, and content that ends in the middle only when nothing
 * follows for a while. A file that never rests is never read, and an empty one is not published; a
 * warning tells. Links to regular files are followed (a change of
 * the target is found by the next scan); hidden files and all that is not a regular file are
 * ignored, subdirectories too.
 *
 * The directory may be missing, or be deleted and made again: watching goes on when it is there. No
 * file stops the watcher; what is wrong with one is told once and tried again at every scan.
 */
export class FileWatcher implements AsyncDisposable {
  readonly #directory: FeedDirectory;
  readonly #records: FileRecords;
  readonly #options: FileWatcherOptions;
  readonly #problems: OnceLog;
  readonly #examiner: Examiner;
  readonly #debouncer: Debouncer;
  readonly #closing = new AbortController();
  readonly #left: string[] = [];
  #foreign = 0;
  #looks = 0;
  #isRestored = false;
  #lastLook: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> | undefined;

  /** For the directory at this path; nothing happens before `start` or `scan` is called. */
  constructor(directory: string, records: FileRecords, options: FileWatcherOptions) {
    const { environment: { clock }, settle, publishRemovals, publishReceived } = options;
    const logger = hidePasswordsIn(options.logger);
    const problems = new OnceLog(logger, clock);
    const { catchUp } = options;
    this.#directory = new FeedDirectory(resolve(directory));
    this.#records = records;
    this.#options = { ...options, logger };
    this.#problems = problems;
    this.#examiner = new Examiner(this.#directory, records, {
      clock,
      settle,
      publishRemovals,
      publishReceived,
      problems,
      logger,
      catchUp: catchUp && (() => catchUp(this.#closing.signal)),
    });
    this.#debouncer = new Debouncer(
      clock,
      settle,
      (name, mark) => this.#examiner.examine(name, mark),
    );
  }

  /** Begins to watch, then scans, so that no change falls in between. Returns at once. */
  start(): void {
    this.#watching ??= this.#watch();
  }

  /**
   * Looks at all files once, waits until those that changed have come to rest, and publishes them.
   * Finds what changed while nothing was watching. A missing directory is told, and counts as failed.
   */
  async scan(signal?: AbortSignal): Promise<ScanReport> {
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal?.reason);
    signal?.addEventListener("abort", onAbort);
    try {
      return await Promise.race([
        this.#look(signal).then(reportOf),
        aborted.promise,
      ]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Stops. Changes of files that have not come to rest are left to the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watching;
    await this.#lastLook;
    await this.#debouncer.clear();
    await this.#directory[Symbol.asyncDispose]();
  }

  /** The same as {@linkcode FileWatcher.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    const { environment: { clock }, rescan } = this.#options;
    // What changes before all is known is found by the scan after that.
    const changed = (name: string) => {
      if (this.#isRestored) this.#markChanged(name);
    };
    while (!signal.aborted) {
      await using watch = await DirectoryWatch.open(this.#directory, {
        clock,
        changed,
        problems: this.#problems,
      });
      await this.#look();
      const interval = this.#isRestored ? rescan : Math.min(rescan, RESTORE_INTERVAL);
      await watch.inDoubt(interval, signal).catch(() => {});
    }
  }

  /** One look after the other. */
  #look(signal?: AbortSignal): Promise<Look> {
    const look = this.#lastLook.then(() => this.#markChanges(signal));
    this.#lastLook = look;
    return look;
  }

  async #markChanges(signal = this.#closing.signal): Promise<Look> {
    const { path } = this.#directory;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    try {
      if (!await this.#restored(either)) return failedLook(path);
      const { identity, isWithheld, files, changed } = await findChanges({
        directory: this.#directory,
        guard: this.#examiner.guard,
        examiner: this.#examiner,
        problems: this.#problems,
      }, either);
      this.#problems.resolved(path, { text: `The feed directory '${path}' is there now` });
      const outcomes = new Map<string, Promise<Outcome>>();
      for (const [name, fingerprint] of changed) {
        const outcome = this.#mark(name, fingerprint);
        outcomes.set(this.#directory.pathOf(name), outcome);
        outcome.then((outcome) => this.#tellUnsettled(name, outcome));
      }
      if (isWithheld) outcomes.set(path, Promise.resolve<Outcome>("withheld"));
      this.#finishLook([...outcomes.values()], identity);
      return { files, outcomes };
    } catch (error) {
      if (!either.aborted) this.#problems.problem(path, { text: problemWith(path, error) });
      return failedLook(path);
    }
  }

  /** Whether it is known what others have published; tells why files wait. */
  async #restored(signal: AbortSignal): Promise<boolean> {
    const subject = "what others have published";
    try {
      this.#isRestored ||= await this.#options.isRestored?.(signal) ?? true;
      if (this.#isRestored) {
        this.#problems.resolved(subject);
        return true;
      }
      this.#problems.problem(subject, { text: this.#waitsUntil("it is known") });
    } catch (error) {
      if (signal.aborted) return false;
      this.#problems.problem(subject, {
        text: this.#waitsUntil(`it can be read: ${messageOf(error)}`),
      });
    }
    return false;
  }

  #waitsUntil(condition: string): string {
    return `This is a new state, and what others have published is not known yet: the feed files in ` +
      `'${this.#directory.path}' wait until ${condition}`;
  }

  /** When all files that it found were looked at, old ones are no longer left alone. */
  async #finishLook(
    outcomes: readonly Promise<Outcome>[],
    identity: string | undefined,
  ): Promise<void> {
    this.#looks++;
    await Promise.all(outcomes);
    this.#looks--;
    if (this.#closing.signal.aborted) return;
    this.#records.noteScanned(this.#directory.path, identity);
    this.#tellLeft();
    this.#tellForeign();
  }

  #tellForeign(): void {
    const count = this.#foreign;
    this.#foreign = 0;
    if (count === 0 || this.#closing.signal.aborted) return;
    this.#options.logger.warn(
      `Not published: ${count} feed files in '${this.#directory.path}' that were received according to ` +
        "their .feed.json, of feeds that this bucket does not know. If they came from another bucket, " +
        "publish them with 'feedsync watch --once --publish-received'",
    );
  }

  /** An event told of a change. */
  async #markChanged(name: string): Promise<void> {
    await this.#mark(name);
    if (this.#looks === 0) this.#tellLeft();
  }

  async #mark(name: string, fingerprint?: string): Promise<Outcome> {
    const outcome = await this.#debouncer.mark(name, {
      fingerprint,
      received: this.#examiner.received(name),
    });
    if (outcome === "foreign") this.#foreign++;
    if (outcome === "left") this.#left.push(this.#directory.pathOf(name));
    return outcome;
  }

  #tellLeft(): void {
    const left = [...new Set(this.#left.splice(0))].sort();
    if (left.length === 0 || this.#closing.signal.aborted) return;
    const named = left.slice(0, MOST_NAMED).map((path) => `'${path}'`).join(", ");
    const more = left.length > MOST_NAMED ? ` and ${left.length - MOST_NAMED} more` : "";
    this.#options.logger.warn(
      `Not published, since newer updates of their feeds are known than these files: ${named}${more}. ` +
        "What is in them is left alone; save them again to publish it",
    );
  }

  #tellUnsettled(name: string, outcome: Outcome): void {
    if (outcome !== "unsettled" || this.#closing.signal.aborted) return;
    if (this.#examiner.isWaitedFor(name)) return;
    const path = this.#directory.pathOf(name);
    this.#problems.problem(path, {
      text: `The file '${path}' keeps changing: it is read once it has been left alone for ` +
        `${this.#options.settle} ms`,
    });
  }
}

function failedLook(path: string): Look {
  return { files: 0, outcomes: new Map([[path, Promise.resolve<Outcome>("failed")]]) };
}

function problemWith(path: string, error: unknown): string {
  return error instanceof Deno.errors.NotFound
    ? `There is no feed directory '${path}': its files are published once it is there`
    : `Cannot scan the feed directory '${path}': ${messageOf(error)}`;
}
