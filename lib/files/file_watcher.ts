/**
 * Publishes the feed files of a directory as they change.
 *
 * @module
 */
import { resolve } from "node:path";
import { abortable } from "../base/deadline.ts";
import type { Environment } from "../base/environment.ts";
import { messageOf } from "../errors.ts";
import type { PluginLogger } from "../plugin.ts";
import { OnceLog } from "../base/once_log.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import { Examiner } from "./examine.ts";
import { FeedDirectory } from "./feed_directory.ts";
import type { FileIndex } from "./file_index.ts";
import { findChanges } from "./scan.ts";
import { type Look, reportOf, type ScanReport } from "./scan.ts";
import { Debouncer, type Outcome } from "./debounce.ts";

/** Options of {@linkcode FileWatcher}. */
export interface FileWatcherOptions {
  /** Clock and timers. */
  readonly environment: Environment;
  /** Time without a change after which a file is taken as complete, in milliseconds. */
  readonly settle: number;
  /** Time between scans of the whole directory, in milliseconds. */
  readonly rescan: number;
  /** Whether a feed is published as removed when its file is gone; `all`: however many at once. */
  readonly publishRemovals: boolean | "all";
  /** Logs problems, each once. */
  readonly logger: PluginLogger;
  /**
   * Resolves to whether it is known what others have published; rejects with what prevents that. Until
   * then nothing is published, as all content would look new. @default it is known
   */
  readonly isRestored?: (signal: AbortSignal) => Promise<boolean>;
}

/** Time between scans until it is known what others have published. */
const RESTORE_INTERVAL_MS = 1_000;

/** How many unpublished files a warning names. */
const MAX_NAMED = 5;

/**
 * Watches the `.feed` files directly in a directory and publishes each that changed, once it has not
 * changed for a while: of rapid changes only the last, and truncated content only after a longer wait. A
 * file that keeps changing is not read and an empty one is not published; both are logged. Links to
 * regular files are followed (the next scan finds changes of their targets); hidden files, directories
 * and all else are ignored.
 *
 * The directory may be missing, or be deleted and made again: watching continues when it exists. No file
 * stops the watcher; a problem with one is logged once and retried at every scan.
 */
export class FileWatcher implements AsyncDisposable {
  readonly #directory: FeedDirectory;
  readonly #index: FileIndex;
  readonly #options: FileWatcherOptions;
  readonly #problems: OnceLog;
  readonly #examiner: Examiner;
  readonly #debouncer: Debouncer;
  readonly #closing = new AbortController();
  readonly #left: string[] = [];
  #looks = 0;
  #isRestored = false;
  #lastLook: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> | undefined;

  /** For the directory at this path; nothing happens before `start` or `scan` is called. */
  constructor(directory: string, index: FileIndex, options: FileWatcherOptions) {
    const { environment: { clock }, settle, publishRemovals, logger } = options;
    const problems = new OnceLog(logger, clock);
    this.#directory = new FeedDirectory(resolve(directory));
    this.#index = index;
    this.#options = options;
    this.#problems = problems;
    this.#examiner = new Examiner(this.#directory, index, {
      clock,
      settle,
      publishRemovals,
      problems,
      logger,
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
   * Scans all files once, waits until those that changed are complete, and publishes them. Finds what
   * changed while nothing was watching. A missing directory is logged, and counts as failed.
   */
  async scan(signal?: AbortSignal): Promise<ScanReport> {
    signal?.throwIfAborted();
    const report = this.#look(signal).then(reportOf);
    return await (signal ? abortable(report, signal) : report);
  }

  /** Stops. Files that are still changing are left to the next start. */
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
    // What changes before that is found by the scan after it.
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
      const interval = this.#isRestored ? rescan : Math.min(rescan, RESTORE_INTERVAL_MS);
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
      const { identity, files, changed } = await findChanges({
        directory: this.#directory,
        guard: this.#examiner.guard,
        examiner: this.#examiner,
        problems: this.#problems,
      }, either);
      if (this.#problems.resolved(path)) {
        this.#options.logger.info(`The feed directory '${path}' exists now`);
      }
      const outcomes = new Map<string, Promise<Outcome>>();
      for (const [name, version] of changed) {
        const outcome = this.#mark(name, version);
        outcomes.set(this.#directory.pathOf(name), outcome);
        outcome.then((outcome) => this.#warnUnsettled(name, outcome));
      }
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

  /** Remembers, once all files were examined, that the directory was scanned. */
  async #finishLook(
    outcomes: readonly Promise<Outcome>[],
    identity: string | undefined,
  ): Promise<void> {
    this.#looks++;
    await Promise.all(outcomes);
    this.#looks--;
    if (this.#closing.signal.aborted) return;
    this.#index.noteScanned(this.#directory.path, identity);
    this.#warnUnpublished();
  }

  /** Handles an event about a change. */
  async #markChanged(name: string): Promise<void> {
    await this.#mark(name);
    if (this.#looks === 0) this.#warnUnpublished();
  }

  async #mark(name: string, version?: string): Promise<Outcome> {
    const outcome = await this.#debouncer.mark(name, {
      version,
      received: this.#examiner.received(name),
    });
    if (outcome === "left") this.#left.push(this.#directory.pathOf(name));
    return outcome;
  }

  #warnUnpublished(): void {
    const left = [...new Set(this.#left.splice(0))].sort();
    if (left.length === 0 || this.#closing.signal.aborted) return;
    const named = left.slice(0, MAX_NAMED).map((path) => `'${path}'`).join(", ");
    const more = left.length > MAX_NAMED ? ` and ${left.length - MAX_NAMED} more` : "";
    this.#options.logger.warn(
      `Not published, since newer updates of their feeds are known: ${named}${more}. ` +
        "Save these files again to publish them anyway",
    );
  }

  #warnUnsettled(name: string, outcome: Outcome): void {
    if (outcome !== "unsettled" || this.#closing.signal.aborted) return;
    const path = this.#directory.pathOf(name);
    this.#problems.problem(path, {
      text: `The file '${path}' keeps changing: it is read once it has not changed for ` +
        `${this.#options.settle} ms`,
    });
  }
}

function failedLook(path: string): Look {
  return { files: 0, outcomes: new Map([[path, Promise.resolve<Outcome>("failed")]]) };
}

function problemWith(path: string, error: unknown): string {
  return error instanceof Deno.errors.NotFound
    ? `There is no feed directory '${path}': its files are published once it exists`
    : `Cannot scan the feed directory '${path}': ${messageOf(error)}`;
}
