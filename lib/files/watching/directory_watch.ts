/**
 * Hears of changes in a directory while it can.
 *
 * @module
 */
import { basename } from "node:path";
import { type Clock, sleep } from "../../base/environment.ts";
import type { OnceLog } from "../../base/once_log.ts";
import { messageOf } from "../../errors.ts";
import { type FeedDirectory, feedOf } from "../feed_directory.ts";

/** How often it is checked that the watched directory is still the one at the path. */
const CHECK_INTERVAL_MS = 1_000;

/** What a watch needs. */
export interface DirectoryWatchOptions {
  /** Clock for the checks. */
  readonly clock: Clock;
  /** Called with the name of a feed file whenever it, or the `.feed.json` beside it, changed. */
  readonly onChange: (name: string) => void;
  /** Logs what is wrong with the directory. */
  readonly problems: OnceLog;
}

/**
 * One watch of one directory. `Deno.watchFs` is a hint: it loses events when there are too many,
 * ends at a file name that is not UTF-8, and goes silent when the directory is replaced. Then the
 * watch is in doubt: open it anew, and scan the directory after that.
 */
export class DirectoryWatch implements AsyncDisposable {
  readonly #directory: FeedDirectory;
  readonly #options: DirectoryWatchOptions;
  readonly #identity: string | undefined;
  readonly #watcher: Deno.FsWatcher | undefined;
  readonly #forwarding: Promise<void>;
  #isInDoubt = false;

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

  /** Resolves after `timeoutMs`, or soon after the watch has come into doubt. */
  async untilInDoubt(timeoutMs: number, signal: AbortSignal): Promise<void> {
    for (let leftMs = timeoutMs; leftMs > 0; leftMs -= CHECK_INTERVAL_MS) {
      await sleep(this.#options.clock, Math.min(leftMs, CHECK_INTERVAL_MS), signal);
      if (this.#isInDoubt || await this.#directory.identity() !== this.#identity) return;
    }
  }

  /** Stops watching. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher?.close();
    await this.#forwarding;
  }

  #open(): Deno.FsWatcher | undefined {
    const { path } = this.#directory;
    const subject = `watch of ${path}`;
    try {
      const watcher = Deno.watchFs(path, { recursive: false });
      this.#options.problems.resolved(subject);
      return watcher;
    } catch (error) {
      this.#options.problems.problem(subject, { text: watchProblem(path, error) });
    }
  }

  async #forward(): Promise<void> {
    if (!this.#watcher) return;
    try {
      for await (const { kind, paths, flag } of this.#watcher) {
        if (flag === "rescan") this.#isInDoubt = true;
        // Reading a file is an event too.
        if (kind === "access") continue;
        for (const path of paths) {
          const name = feedOf(basename(path));
          if (name !== undefined) this.#options.onChange(name);
        }
      }
    } catch {
      this.#isInDoubt = true;
    }
  }
}

/** What it means that a directory cannot be watched. */
export function watchProblem(path: string, error: unknown): string {
  return `Cannot watch '${path}', its changes are found by scanning it only: ${messageOf(error)}`;
}
