/**
 * Delivers the newest updates again.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";
import { feedIdentity } from "./feed_url.ts";
import { knownFiles } from "./files/state_records.ts";
import {
  callbackPlugin,
  type PlainPlugin,
  type PluginEntries,
  type RunningPlugin,
  type UpdateCallback,
} from "./plugin.ts";
import { checkPlugins } from "./plugins/check_plugin.ts";
import { ensureKnown } from "./reading/lookup/knowledge.ts";
import { restoreNow } from "./reading/restoring/restore_now.ts";
import type { RestoreProgress, RestoreReport } from "./reading/watcher.ts";

/** Options of {@linkcode restore}. */
export interface RestoreOptions {
  /** Only these feeds. @default all feeds */
  readonly urls?: readonly (string | URL)[] | undefined;
  /** Name of the only plugin to deliver to. @default all plugins */
  readonly plugin?: string | undefined;
  /**
   * Receives the updates if this connection has no watcher: anything that {@linkcode watch} takes.
   * Otherwise the plugins of the watcher receive them. @default the configured plugins
   */
  readonly receiver?: UpdateCallback | PlainPlugin | PluginEntries | undefined;
  /** Called with the progress, synchronously. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
  /** Aborts the call; running plugin calls may take up to `stopTimeout`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Delivers the newest update of all or some feeds, even if the plugins have already received it:
 * for a mirror that was wiped, or for a new plugin. The updates have `restored: true`. No cursor
 * moves, and a watcher may run at the same time, in this or another process.
 *
 * @example
 * ```ts
 * import { connect, publish, restore } from "@feedsync/feedsync";
 * import assert from "node:assert/strict";
 *
 * const store = `file:${await Deno.makeTempDir()}`;
 * await using web1 = await connect({ store, server: "web-1" });
 * await using web2 = await connect({ store, server: "web-2" });
 * await publish(web1, { url: "https://example.com/feed.xml", content: "<rss></rss>" });
 *
 * const { restored } = await restore(web2, { receiver: (update) => console.log(update.content) });
 * assert.equal(restored, 1);
 * ```
 *
 * @throws {TypeError} when no plugin has the given name.
 * @throws {ConfigError} when a plugin cannot be used.
 * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
 * @throws {BackendUnavailableError | FeedSyncError} when a plugin cannot be set up, or no longer
 * works.
 * @throws {ClosedError} when the connection is closed, or is closed meanwhile.
 */
export async function restore(
  sync: FeedSync,
  { receiver, ...options }: RestoreOptions = {},
): Promise<RestoreReport> {
  const { config, parts } = connectionOf(sync);
  if (typeof receiver === "function") {
    return await restoreWith(sync, () => Promise.resolve([callbackPlugin(receiver)]), options);
  }
  const entries = receiver && checkPlugins(receiver);
  return await restoreWith(sync, async () => {
    const { loadPlugins } = await import("./plugins/load_plugins.ts");
    return await loadPlugins(entries ?? config.plugins, {
      ...config,
      knownFiles: parts && knownFiles(parts),
    });
  }, options);
}

/** {@linkcode restore} with plugins that the caller sets up; not exported from the package. */
export async function restoreWith(
  sync: FeedSync,
  setUp: () => Promise<readonly RunningPlugin[]>,
  { urls, plugin, onProgress, signal }: Omit<RestoreOptions, "receiver">,
): Promise<RestoreReport> {
  const connection = connectionOf(sync);
  const feeds = urls?.map((url) => feedIdentity(url instanceof URL ? url.href : url));
  return await connection.run(signal, async (signal) => {
    if (connection.parts) await ensureKnown(connection, signal);
    return await restoreNow(connection, setUp, { urls: feeds, plugin, onProgress, signal });
  });
}
