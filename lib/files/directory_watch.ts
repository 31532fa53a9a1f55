/**
 * Receives the events of the file system about one directory.
 *
 * @module
 */
import { basename } from "node:path";
import { type Clock, sleep } from "../base/environment.ts";
import { messageOf } from "../errors.ts";
import type { OnceLog } from "../base/once_log.ts";
import { type FeedDirectory, feedOf } from "./feed_directory.ts";

/** How often it is checked that the path still leads to the watched directory. */
const CHECK_INTERVAL_MS = 1_000;

/** Options of {@linkcode DirectoryWatch}. */
export interface DirectoryWatchOptions {
  /** Times the checks. */
  readonly clock: Clock;
  /** Called with the name of a feed file whenever it, or the `.feed.json` beside it, changed. */
  readonly changed: (name: string) => void;
  /** Logs problems. */
  readonly problems: OnceLog;
}

/**
 * Watches one directory. `Deno.watchFs` is only a hint: it loses events when there are too many, ends
 * at a file name that is not UTF-8, and goes silent when the directory is replaced. Then the watch is in
 * doubt: it should be opened again, and the directory scanned after that.
 */
export class DirectoryWatch implements AsyncDisposable {
  readonly #directory: FeedDirectory;
  readonly #options: DirectoryWatchOptions;
  readonly #identity: string | undefined;
  readonly #watcher: Deno.FsWatcher | undefined;
  readonly #forwarding: Promise<void>;
  #inDoubt = false;

  private constructor(
    directory: FeedDirectory,
    options: DirectoryWatchOptions,
    identity: string | undefined,
  ) {
    this.#directory = directory;
    this.#options = options;
    this.#identity = identity;
    this.#watcher = identity === undefined ? undefined : this.#open();
    this.#forwarding = this.#forward();
  }

  /** Watches the directory; when it is not there, waits for it. */
  static async open(
    directory: FeedDirectory,
    options: DirectoryWatchOptions,
  ): Promise<DirectoryWatch> {
    return new DirectoryWatch(directory, options, await directory.identity());
  }

  /** Resolves after `ms`, or soon after the watch has come into doubt. */
  async inDoubt(ms: number, signal: AbortSignal): Promise<void> {
    for (let left = ms; left > 0; left -= CHECK_INTERVAL_MS) {
      await sleep(this.#options.clock, Math.min(left, CHECK_INTERVAL_MS), signal);
      if (this.#inDoubt || await this.#directory.identity() !== this.#identity) return;
    }
  }

  /** Stops watching. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher?.close();
    await this.#forwarding;
  }

  #open(): Deno.FsWatcher | undefined {
    const { path } = this.#directory;
    try {
      const watcher = Deno.watchFs(path, { recursive: false });
      this.#options.problems.resolved(`watch of ${path}`);
      return watcher;
    } catch (error) {
      this.#options.problems.problem(`watch of ${path}`, {
        text: `Cannot watch '${path}' for changes, only scans find them: ${messageOf(error)}`,
      });
    }
  }

  async #forward(): Promise<void> {
    if (!this.#watcher) return;
    try {
      for await (const { kind, paths, flag } of this.#watcher) {
        if (flag === "rescan") this.#inDoubt = true;
        // Reading a file is an event, too.
        if (kind === "access") continue;
        for (const path of paths) {
          const name = feedOf(basename(path));
          if (name !== undefined) this.#options.changed(name);
        }
      }
    } catch {
      this.#inDoubt = true;
    }
  }
}
