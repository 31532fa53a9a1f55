/**
 * Hears of changes in a directory while it can.
 *
 * @module
 */
import { basename } from "node:path";
import type { OnceLog } from "../../base/once_log.ts";
import { type Clock, sleep } from "../../base/environment.ts";
import { messageOf } from "../../errors.ts";
import { type FeedDirectory, feedOf } from "../feed_directory.ts";

/** How often it is checked that the watched directory is still the one at the path: milliseconds. */
const CHECK_INTERVAL = 1_000;

/** What a watch needs. */
export interface DirectoryWatchOptions {
  /** Clock for the checks. */
  readonly clock: Clock;
  /** Called with the name of a feed file whenever it, or the `.feed.json` beside it, changed. */
  readonly changed: (name: string) => void;
  /** Where problems are logged. */
  readonly problems: OnceLog;
}

/**
 * One watch of one directory. `Deno.watchFs` is a hint: it loses events when there are too many,
 * ends at a file name that is not UTF-8, and goes silent when the directory is replaced. Then the
 * watch is in doubt: it should be opened anew, and the directory scanned after that.
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
    for (let left = ms; left > 0; left -= CHECK_INTERVAL) {
      await sleep(this.#options.clock, Math.min(left, CHECK_INTERVAL), signal);
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
        text: `Cannot watch '${path}', its changes are found by scanning it only: ${
          messageOf(error)
        }`,
      });
    }
  }

  async #forward(): Promise<void> {
    if (!this.#watcher) return;
    try {
      for await (const { kind, paths, flag } of this.#watcher) {
        if (flag === "rescan") this.#inDoubt = true;
        // Reading a file is an event too.
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
