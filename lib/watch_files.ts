/**
 * Publishing feed files as they change.
 *
 * @module
 */
import { join, resolve, sep } from "node:path";
import type { Duration } from "./config/config.ts";
import { resolveFiles } from "./config/resolve.ts";
import { type Connection, connectionOf, type FeedSync, type Parts } from "./connection.ts";
import { defined } from "./config/merge.ts";
import { ClosedError } from "./errors.ts";
import type { FileLedger } from "./files/ledger.ts";
import type { ScanReport } from "./files/scan_report.ts";
import { FileWatcher } from "./files/watch_files.ts";
import { plainLogger } from "./plain_logger.ts";
import { accept, prepareUpdate } from "./publishing/accept.ts";

const logger = plainLogger(["feedsync", "files"]);

/** Options of {@linkcode watchFiles}. */
export interface WatchFilesOptions {
  /** How long a file must have been still before it is read. @default {"200ms"} */
  readonly settle?: Duration | undefined;
  /** How often the whole directory is searched for what was missed. @default {"1m"} */
  readonly rescan?: Duration | undefined;
  /** Publish that a feed is gone when its file is deleted. @default false */
  readonly publishRemovals?: boolean | undefined;
  /** Look only when {@linkcode FilesWatcher.scan} is called. @default false */
  readonly manual?: boolean | undefined;
}

/** A running watcher of a directory. Close it, or bind it with `await using`. */
export interface FilesWatcher extends AsyncDisposable {
  /**
   * Looks at all files now; resolves when what has changed is accepted for publishing.
   *
   * @throws {ClosedError} when it is closed, or gets closed meanwhile.
   */
  scan(signal?: AbortSignal): Promise<ScanReport>;
  /** Stops; what changed and was not read yet is found at the next start. */
  close(): Promise<void>;
}

/**
 * Watches the `NAME.feed` files of a directory, and publishes each when its content has changed:
 * under the URL in `NAME.feed.json` beside it (`{"url", "metadata"}`), else under the one that NAME
 * stands for (`https%3A%2F%2Fexample.com%2Ffeed.xml`, or `https___example.com_feed.xml`). What
 * changed while nothing was watching is found at the start, when the state is kept in a file.
 *
 * @param directory Its path; the one in the configuration when it is left out.
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
    throw new TypeError("Cannot watch files as no directory is given, and none is configured");
  }
  if (!parts) return new ConnectedFiles(connection);
  const { manual = false, ...given } = options;
  const { settle, rescan, publishRemovals } = resolveFiles(
    { ...config.files, ...defined(given), directory: path },
    config.directory,
  )!;
  const { environment } = parts;
  const watcher = new FileWatcher(path, ledgerOf(parts, config.urlSchemes), {
    environment,
    settle,
    rescan,
    publishRemovals,
    logger,
  });
  if (!manual) watcher.start();
  return new ConnectedFiles(connection, watcher);
}

/** A watcher that is closed with its connection; without one underneath nothing is enabled. */
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
    if (!this.#watcher) return { files: 0, published: 0, removed: 0, failed: [], unsettled: [] };
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

/** What was seen in files, and what is published of them, in the state. */
function ledgerOf(
  { state, uploader, environment }: Parts,
  schemes: readonly string[],
): FileLedger {
  return {
    seen: (path) => state.files.get(path),
    seenIn: (directory) => state.files.existing(join(directory, sep)),
    newest: (url) => state.newest.get(url),
    note: (path, hash) =>
      // Not synced: after a crash of the machine the file is only looked at again.
      state.transaction(() => state.files.note(path, hash), { durable: false }),
    publish(path, hash, update) {
      const prepared = prepareUpdate(update, { schemes });
      state.transaction(() => {
        state.files.note(path, hash);
        accept(state, prepared, environment);
      });
      uploader.start();
    },
  };
}
