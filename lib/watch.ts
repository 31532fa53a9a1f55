/**
 * Watching: polls the bucket and applies what is new.
 *
 * @module
 */
import type { Duration } from "./base/duration.ts";
import { connectionOf, type FeedSync } from "./connection.ts";
import type { UnreadableError } from "./errors.ts";
import { checkPlugins } from "./plugins/check_plugin.ts";
import { knownFiles } from "./files/state_records.ts";
import type { PlainPlugin, PluginEntries, RunningPlugin } from "./plugin.ts";
import type { FailedUpdate } from "./reading/delivery.ts";
import type { Gap, Update } from "./update.ts";
import { BucketWatcher } from "./reading/bucket_watcher.ts";

/**
 * Receives one update. Throw to have it tried again, at most three times: then it is kept as a dead
 * letter, and counts as `failed` in {@linkcode PollReport}. Throw {@linkcode BackendUnavailableError} to
 * have reading wait until it can be applied, for an hour at most, and {@linkcode RejectedUpdateError} to refuse it for good.
 */
export type UpdateCallback = (
  update: Update,
  context: {
    /** Aborted when the call takes longer than `callbackTimeout`. */
    readonly signal: AbortSignal;
  },
) => void | Promise<void>;

/** Options of {@linkcode watch}. */
export interface WatchOptions {
  /** Stops the watcher gracefully, as {@linkcode Watcher.close} does. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told of updates that were lost before they were read. Gaps are logged in any case, and plugins told
   * of them.
   */
  readonly onGap?: ((gap: Gap) => void | Promise<void>) | undefined;
  /**
   * Told of updates that the callback or a plugin could not apply, once each is kept as a dead letter.
   * What it throws is logged, and stops nothing.
   */
  readonly onDeadLetter?: ((failed: FailedUpdate) => void | Promise<void>) | undefined;
  /** Poll only when {@linkcode Watcher.poll} is called, and never clean up. @default false */
  readonly manual?: boolean | undefined;
  /**
   * How long to wait for a plugin that cannot be set up, reach its backend, or apply anything. After that
   * {@linkcode Watcher.poll} rejects; what the plugin lacks is applied by a later poll. `false`: as long as
   * it takes. @default `callbackTimeout` for a manual watcher, else `false`
   */
  readonly outagePatience?: Duration | false | undefined;
}

/** What a poll did. */
export interface PollReport {
  /** Updates that all plugins applied. */
  readonly applied: number;
  /** Updates that a plugin could not apply: each is kept as a dead letter. */
  readonly failed: number;
  /** Gaps reported. */
  readonly gaps: number;
  /**
   * Objects that hold up their streams: damaged, without a key for them, or listed by a store that does
   * not hand them out. All else is applied.
   */
  readonly unreadable: readonly UnreadableError[];
}

/** A running watcher. Close it, or bind it with `await using`. */
export interface Watcher extends AsyncDisposable {
  /**
   * Resolves when the plugins are set up and peers are heard; rejects when that fails. While a plugin cannot
   * be set up for want of its backend it is tried again, see {@linkcode WatchOptions.outagePatience}.
   */
  readonly ready: Promise<void>;
  /**
   * Resolves when the watcher has stopped; rejects with what made it stop by itself. A store that cannot be
   * reached does not; one that refuses does before the first poll that succeeds, at a second look.
   */
  readonly finished: Promise<void>;
  /**
   * Polls now, and resolves when everything that was in the bucket by then is applied.
   *
   * @throws {BackendUnavailableError} when a plugin cannot reach its backend for `outagePatience`.
   * @throws {FeedSyncError} when a plugin fails for every update for so long.
   * @throws {StoreUnavailableError} when the store cannot be reached.
   * @throws {AccessDeniedError} when the store refuses.
   * @throws {ClosedError} when the watcher is closed, or gets closed meanwhile.
   */
  poll(): Promise<PollReport>;
  /** Lets running callbacks finish (up to `stopTimeout`), stores the cursors and ends. */
  close(): Promise<void>;
}

/**
 * Watches for the updates of the other servers and applies them: at least once, in order per
 * stream, one at a time per URL. A callback gets them, or plugins do: without either those of the
 * configuration.
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
 * @throws {TypeError} when the connection has a watcher already, which has not ended yet.
 * @throws {ClosedError} when the connection is closed.
 */
export function watch(
  sync: FeedSync,
  callback?: UpdateCallback,
  options?: WatchOptions,
): Watcher;
/** Hands the updates to a plugin that needs no options. */
export function watch<Input>(
  sync: FeedSync,
  plugin: PlainPlugin<Input>,
  options?: WatchOptions,
): Watcher;
/**
 * Hands the updates to several plugins, each alone or in a pair with its options.
 *
 * @throws {ConfigError} when one does not take its options.
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
    return watchWith(sync, [fromCallback(given)], options);
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

/** {@linkcode watch} for plugins that are, or get, set up elsewhere; not exported from the package. */
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
    async () => onGap ? [...await setUp(), listener(onGap)] : await setUp(),
    options,
  );
}

function fromCallback(callback: UpdateCallback): RunningPlugin {
  return {
    name: "callback",
    onUpdate: (update, signal) => callback(update, { signal }),
    onGap: () => {},
    close: () => Promise.resolve(),
  };
}

function listener(onGap: NonNullable<WatchOptions["onGap"]>): RunningPlugin {
  return {
    name: "onGap",
    onUpdate: () => {},
    onGap: (gap) => onGap(gap),
    close: () => Promise.resolve(),
  };
}
