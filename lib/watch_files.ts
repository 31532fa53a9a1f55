/**
 * Publishes feed files when they change.
 *
 * @module
 */
import { resolve } from "node:path";
import type { Duration } from "./base/duration.ts";
import { plainLogger } from "./base/plain_logger.ts";
import { resolveFiles } from "./config/files.ts";
import { type Connection, connectionOf, type FeedSync } from "./connection.ts";
import { ClosedError } from "./errors.ts";
import { fileRecords } from "./files/state_records.ts";
import { FileWatcher } from "./files/watching/file_watcher.ts";
import type { ScanReport } from "./files/watching/scan.ts";
import { catchUp, knowsOthers } from "./reading/lookup/learning.ts";

const logger = plainLogger(["feedsync", "files"]);

/** Options of {@linkcode watchFiles}. */
export interface WatchFilesOptions {
  /** How long a file must be unchanged before it is read. @default {"200ms"} */
  readonly settle?: Duration | undefined;
  /** How often the directory is scanned for changes that no event reported. @default {"1m"} */
  readonly rescan?: Duration | undefined;
  /**
   * Publish a removal when a file is deleted. If more than three files, and more than a tenth of
   * all, disappear within an hour, a disk is probably not mounted: that is logged as a warning, and
   * nothing is published unless the option is `all`. A removal waits until the updates of other
   * servers are known, and is dropped if one of them is newer than the file. @default false
   */
  readonly publishRemovals?: boolean | "all" | undefined;
  /**
   * Publish files that were received, according to their `.feed.json`, if the bucket does not know
   * the feed, so that they came from another bucket. @default false
   */
  readonly publishReceived?: boolean | undefined;
  /** Scan only when {@linkcode FilesWatcher.scan} is called, and watch nothing. @default false */
  readonly manual?: boolean | undefined;
}

/** A running watcher of a directory. Close it, or bind it with `await using`. */
export interface FilesWatcher extends AsyncDisposable {
  /**
   * Scans all files now; resolves when all changes are accepted for publishing.
   *
   * @throws {ClosedError} when the watcher is closed, or is closed meanwhile.
   */
  scan(signal?: AbortSignal): Promise<ScanReport>;
  /** Stops watching. Changes that were not read yet are found at the next start. */
  close(): Promise<void>;
}

/**
 * Watches the `NAME.feed` files of a directory, and publishes each when its content has changed:
 * under the URL in `NAME.feed.json` beside it (`{"url", "metadata"}`), else under the URL that NAME
 * encodes (`https%3A%2F%2Fexample.com%2Ffeed.xml`, or `https___example.com_feed.xml`). With a state
 * file, changes made while nothing was watching are found at the start. With a new state, files
 * wait until the updates of other servers are known.
 *
 * @param directory Path of the directory. @default the one in the configuration
 */
export function watchFiles(
  sync: FeedSync,
  directory?: string,
  options: WatchFilesOptions = {},
): FilesWatcher {
  const connection = connectionOf(sync);
  const { config, parts } = connection;
  const path = directory === undefined ? config.files?.directory : resolve(directory);
  if (path === undefined) {
    throw new TypeError("Cannot watch files: no directory is given, and none is configured");
  }
  if (!parts) return new ConnectedFiles(connection);
  const { manual = false, publishRemovals: removals, settle: given, rescan: every } = options;
  const { settle, rescan, publishRemovals } = resolveFiles(
    {
      settle: given ?? config.files?.settle,
      rescan: every ?? config.files?.rescan,
      publishRemovals: config.files?.publishRemovals,
      directory: path,
    },
    config.directory,
  )!;
  const { environment } = parts;
  const watcher = new FileWatcher(path, fileRecords(parts, { schemes: config.urlSchemes }), {
    environment,
    settleMs: settle,
    rescanMs: rescan,
    publishRemovals: removals ?? publishRemovals,
    publishReceived: options.publishReceived,
    logger,
    isRestored: (signal) => knowsOthers(connection, signal),
    catchUp: (signal) => catchUp(connection, signal),
  });
  if (!manual) watcher.start();
  return new ConnectedFiles(connection, watcher);
}

const NOTHING_DONE: ScanReport = {
  files: 0,
  published: 0,
  removed: 0,
  failed: [],
  unsettled: [],
  withheld: [],
};

/** A watcher that is closed with its connection; it does nothing if feedsync is disabled. */
class ConnectedFiles implements FilesWatcher {
  readonly #watcher: FileWatcher | undefined;
  readonly #closed = new AbortController();
  readonly #forget: () => void;

  constructor(connection: Connection, watcher?: FileWatcher) {
    this.#watcher = watcher;
    this.#forget = connection.closeWithMe(this);
  }

  async scan(signal?: AbortSignal): Promise<ScanReport> {
    const closed = this.#closed.signal;
    closed.throwIfAborted();
    signal?.throwIfAborted();
    if (!this.#watcher) return NOTHING_DONE;
    return await this.#watcher.scan(signal ? AbortSignal.any([signal, closed]) : closed);
  }

  async close(): Promise<void> {
    this.#closed.abort(new ClosedError("Cannot use this watcher of files: it is closed"));
    await this.#watcher?.close();
    this.#forget();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
