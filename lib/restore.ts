/**
 * Delivering again what is newest.
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
  /** Only to the plugin of this name. @default to all */
  readonly plugin?: string | undefined;
  /**
   * Who receives the updates, when this connection has no watcher: what {@linkcode watch} would be given. The
   * plugins of a running watcher receive them in any case. @default the plugins of the configuration
   */
  readonly receiver?: UpdateCallback | PlainPlugin | PluginEntries | undefined;
  /** Told how far it is. It must return at once. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
  /** Ends it; the running calls may take `stopTimeout` then. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Delivers the newest update of each feed again, or of some, whether or not the plugins have had it: for a
 * mirror that was wiped, or a plugin that is new. The updates have `restored: true`, no cursor moves, and a
 * watcher may run meanwhile, here or in another process.
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
 * @throws {TypeError} when there is no plugin of the name that is asked for.
 * @throws {ConfigError} when a plugin cannot be used.
 * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
 * @throws {BackendUnavailableError | FeedSyncError} when a plugin cannot be set up, or stops working.
 * @throws {ClosedError} when the connection is closed, or gets closed meanwhile.
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

/** {@linkcode restore} for plugins that get set up elsewhere; not exported from the package. */
export async function restoreWith(
  sync: FeedSync,
  setUp: () => Promise<readonly RunningPlugin[]>,
  { urls, plugin, onProgress, signal }: Omit<RestoreOptions, "receiver">,
): Promise<RestoreReport> {
  const connection = connectionOf(sync), { closed } = connection;
  if (!connection.parts) return NOTHING;
  const feeds = urls?.map((url) => feedIdentity(url instanceof URL ? url.href : url));
  const either = signal ? AbortSignal.any([signal, closed]) : closed;
  try {
    await connection.keepOpen(ensureKnown(connection, either));
    const request = { urls: feeds, plugin, onProgress, signal };
    return await restoreNow(connection, setUp, request);
  } catch (error) {
    closed.throwIfAborted();
    throw error;
  }
}

/** What is restored where nothing is enabled. */
const NOTHING: RestoreReport = { restored: 0, failed: 0, unknown: [], unreadable: [] };
