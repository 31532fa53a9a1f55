/**
 * Delivering again what is newest, because somebody asks for it.
 *
 * @module
 */
import type { Connection } from "../connection.ts";
import type { RunningPlugin } from "../plugin.ts";
import type { RestoreProgress, RestoreReport } from "./watcher.ts";

/** What to deliver, and to whom. */
export interface RestoreRequest {
  /** Only these feeds. @default all that the bucket knows */
  readonly urls?: readonly string[] | undefined;
  /** Only to the plugin of this name. @default to all */
  readonly plugin?: string | undefined;
  /** Told how far it is. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Delivers the newest update of each feed, or of some, whether or not the plugins have had it. The plugins of the
 * watcher get it if this connection has one; otherwise `plugins` sets some up, which are closed in the end.
 *
 * @throws {TypeError} when there is no plugin of the name that is asked for.
 * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
 * @throws {BackendUnavailableError | FeedSyncError} when a plugin cannot be set up, or stops working.
 * @throws {ClosedError} when the connection gets closed meanwhile.
 */
export function restoreNow(
  _connection: Connection,
  _plugins: () => Promise<readonly RunningPlugin[]>,
  _request: RestoreRequest = {},
): Promise<RestoreReport> {
  return Promise.reject(new Error("Cannot restore: this is not built yet"));
}
