/**
 * Watches the bucket and applies new updates.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";
import { checkPlugins } from "./plugins/check_plugin.ts";
import { knownFiles } from "./files/state_records.ts";
import {
  callbackPlugin,
  type PlainPlugin,
  type PluginEntries,
  type RunningPlugin,
  runningPlugin,
  type UpdateCallback,
} from "./plugin.ts";
import { BucketWatcher } from "./reading/bucket_watcher.ts";
import type { Watcher, WatchOptions } from "./reading/watcher.ts";

/**
 * Watches for updates of other servers and applies them: at least once, in order per stream, one at
 * a time per URL. They go to a callback or to plugins, by default to those of the configuration.
 *
 * @example
 * ```ts
 * import { connect, publish, watch } from "@feedsync/feedsync";
 *
 * const store = `file:${await Deno.makeTempDir()}`;
 * await using web1 = await connect({ store, server: "web-1" });
 * await using web2 = await connect({ store, server: "web-2" });
 *
 * await publish(web1, { url: "https://example.com/feed.xml", content: "<rss></rss>" });
 * await using watcher = watch(web2, (update) => console.log(update.server, update.url));
 * await watcher.poll(); // "web-1 https://example.com/feed.xml"
 * ```
 *
 * @throws {TypeError} when another watcher of the connection is still running.
 * @throws {ClosedError} when the connection is closed.
 */
export function watch(
  sync: FeedSync,
  callback?: UpdateCallback,
  options?: WatchOptions,
): Watcher;
/** Delivers the updates to a plugin that needs no options. */
export function watch<Input>(
  sync: FeedSync,
  plugin: PlainPlugin<Input>,
  options?: WatchOptions,
): Watcher;
/**
 * Delivers the updates to several plugins, each given alone or as a pair with its options.
 *
 * @throws {ConfigError} when the options of a plugin are invalid.
 */
export function watch<const Inputs extends readonly unknown[]>(
  sync: FeedSync,
  plugins: PluginEntries<Inputs>,
  options?: WatchOptions,
): Watcher;
export function watch(
  sync: FeedSync,
  given?: UpdateCallback | PlainPlugin | PluginEntries,
  options: WatchOptions = {},
): Watcher {
  if (typeof given === "function") {
    return watchWith(sync, [callbackPlugin(given)], options);
  }
  const entries = given && checkPlugins(given);
  const { config, parts } = connectionOf(sync);
  return start(sync, async () => {
    const { loadPlugins } = await import("./plugins/load_plugins.ts");
    return await loadPlugins(entries ?? config.plugins, {
      ...config,
      knownFiles: parts && knownFiles(parts),
      knownPlugins: parts?.state.watchedPlugins(),
    });
  }, options);
}

/** {@linkcode watch} for plugins that the caller sets up; not exported from the package. */
export function watchWith(
  sync: FeedSync,
  plugins: readonly RunningPlugin[] | (() => Promise<readonly RunningPlugin[]>),
  options: WatchOptions = {},
): Watcher {
  const setUp = typeof plugins === "function" ? plugins : () => Promise.resolve(plugins);
  return start(sync, setUp, options);
}

function start(
  sync: FeedSync,
  setUp: () => Promise<readonly RunningPlugin[]>,
  options: WatchOptions,
): Watcher {
  const { onGap } = options;
  return new BucketWatcher(
    connectionOf(sync),
    async () => onGap ? [...await setUp(), runningPlugin("onGap", { onGap })] : await setUp(),
    options,
  );
}
