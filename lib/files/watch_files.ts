/**
 * Publishes the feed files of a directory as they change.
 *
 * @module
 */
import { resolve } from "node:path";
import type { Environment } from "../environment.ts";
import { messageOf } from "../errors.ts";
import type { PluginLogger } from "../plugin.ts";
import { Complaints } from "./complaints.ts";
import { DirectoryWatch } from "./directory_watch.ts";
import { Examiner } from "./examine.ts";
import { FeedDirectory } from "./feed_directory.ts";
import type { FileLedger } from "./ledger.ts";
import { findChanges } from "./scan.ts";
import { type Look, reportOf, type ScanReport } from "./scan_report.ts";
import { type Outcome, Settling } from "./settling.ts";

/** Options of {@linkcode FileWatcher}. */
export interface FileWatcherOptions {
  /** Clock and timers. */
  readonly environment: Environment;
  /** Milliseconds without a change after which a file is taken to be complete. */
  readonly settle: number;
  /** Milliseconds between two looks at the whole directory. */
  readonly rescan: number;
  /** Whether it is published that a feed is gone when its file is. */
  readonly publishRemovals: boolean;
  /** Where problems are told, each once. */
  readonly logger: PluginLogger;
}

/**
 * Watches the `.feed` files directly in a directory and publishes each that changed, once it has
 * come to rest: half-written content is never published, and of rapid changes only the last. A file
 * that never rests is never read, and an empty one is not published; a warning tells. Links to regular files are followed (a change of
 * the target is found by the next scan); hidden files and all that is not a regular file are
 * ignored, subdirectories too.
 *
 * The directory may be missing, or be deleted and made again: watching goes on when it is there. No
 * file stops the watcher; what is wrong with one is told once and tried again at every scan.
 */
export class FileWatcher implements AsyncDisposable {
  readonly #directory: FeedDirectory;
  readonly #ledger: FileLedger;
  readonly #options: FileWatcherOptions;
  readonly #complaints: Complaints;
  readonly #examiner: Examiner;
  readonly #settling: Settling;
  readonly #closing = new AbortController();
  #lastLook: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> | undefined;

  /** For the directory at this path; nothing happens before `start` or `scan` is called. */
  constructor(directory: string, ledger: FileLedger, options: FileWatcherOptions) {
    const { environment: { clock }, settle, publishRemovals, logger } = options;
    const complaints = new Complaints(logger);
    this.#directory = new FeedDirectory(resolve(directory));
    this.#ledger = ledger;
    this.#options = options;
    this.#complaints = complaints;
    this.#examiner = new Examiner(this.#directory, ledger, {
      clock,
      settle,
      publishRemovals,
      complaints,
    });
    this.#settling = new Settling(
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
    await this.#settling.clear();
    await this.#directory[Symbol.asyncDispose]();
  }

  /** The same as {@linkcode FileWatcher.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    const { environment: { clock }, rescan } = this.#options;
    const changed = (name: string) => void this.#mark(name);
    while (!signal.aborted) {
      await using watch = await DirectoryWatch.open(this.#directory, {
        clock,
        changed,
        complaints: this.#complaints,
      });
      await this.#look();
      await watch.inDoubt(rescan, signal).catch(() => {});
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
      const { files, changed } = await findChanges({
        directory: this.#directory,
        ledger: this.#ledger,
        examiner: this.#examiner,
        complaints: this.#complaints,
      }, either);
      if (this.#complaints.resolved(path)) {
        this.#options.logger.info(`The feed directory '${path}' is there now`);
      }
      const outcomes = new Map<string, Promise<Outcome>>();
      for (const [name, stamp] of changed) {
        const outcome = this.#mark(name, stamp);
        outcomes.set(this.#directory.pathOf(name), outcome);
        outcome.then((outcome) => this.#tellUnsettled(name, outcome));
      }
      return { files, outcomes };
    } catch (error) {
      if (!either.aborted) this.#complaints.about(path, problemWith(path, error));
      return { files: 0, outcomes: new Map([[path, Promise.resolve<Outcome>("failed")]]) };
    }
  }

  #mark(name: string, stamp?: string): Promise<Outcome> {
    return this.#settling.mark(name, { stamp, received: this.#examiner.received(name) });
  }

  #tellUnsettled(name: string, outcome: Outcome): void {
    if (outcome !== "unsettled" || this.#closing.signal.aborted) return;
    const path = this.#directory.pathOf(name);
    this.#complaints.about(
      path,
      `The file '${path}' keeps changing: it is read once it has been left alone for ` +
        `${this.#options.settle} ms`,
    );
  }
}

function problemWith(path: string, error: unknown): string {
  return error instanceof Deno.errors.NotFound
    ? `There is no feed directory '${path}': its files are published once it is there`
    : `Cannot scan the feed directory '${path}': ${messageOf(error)}`;
}
