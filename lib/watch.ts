/**
 * Watching: polls the bucket and applies what is new.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";
import type { UnreadableError } from "./errors.ts";
import type { RunningPlugin } from "./plugin.ts";
import type { Gap, Update } from "./update.ts";
import { BucketWatcher } from "./reading/watcher.ts";

/**
 * Receives one update. Throw to have it tried again, at most three times; throw
 * {@linkcode BackendUnavailableError} to have reading wait until it can be applied, and
 * {@linkcode RejectedUpdateError} to refuse it for good.
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
  readonly signal?: AbortSignal;
  /** Told of updates that were lost before they were read. Gaps are logged in any case. */
  readonly onGap?: (gap: Gap) => void | Promise<void>;
  /** Poll only when {@linkcode Watcher.poll} is called, and never clean up. @default false */
  readonly manual?: boolean;
}

/** What a poll did. */
export interface PollReport {
  /** Updates applied. */
  readonly applied: number;
  /** Gaps reported. */
  readonly gaps: number;
  /** Objects that hold up their streams: damaged, or without a key for them. All else is applied. */
  readonly unreadable: readonly UnreadableError[];
}

/** A running watcher. Close it, or bind it with `await using`. */
export interface Watcher extends AsyncDisposable {
  /** Resolves when the plugins are set up and peers are heard; rejects when that fails. */
  readonly ready: Promise<void>;
  /** Resolves when the watcher has stopped; rejects with what made it stop by itself. */
  readonly finished: Promise<void>;
  /**
   * Polls now, and resolves when everything that was in the bucket by then is applied.
   *
   * @throws {StoreUnavailableError} when the store cannot be reached.
   * @throws {AccessDeniedError} when the store refuses.
   */
  poll(): Promise<PollReport>;
  /** Lets running callbacks finish (up to `stopTimeout`), stores the cursors and ends. */
  close(): Promise<void>;
}

/**
 * Watches for the updates of the other servers and applies them: at least once, in order per
 * stream, one at a time per URL. Without a callback the plugins of the configuration get them.
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
 */
export function watch(
  sync: FeedSync,
  callback?: UpdateCallback | readonly RunningPlugin[],
  options: WatchOptions = {},
): Watcher {
  const connection = connectionOf(sync);
  return new BucketWatcher(connection, () => pluginsFor(callback), options);

  async function pluginsFor(
    given: UpdateCallback | readonly RunningPlugin[] | undefined,
  ): Promise<readonly RunningPlugin[]> {
    if (typeof given === "function") return [fromCallback(given, options)];
    if (given) return given;
    const { loadPlugins } = await import("./load_plugins.ts");
    return await loadPlugins(connection.config.plugins, connection.config);
  }
}

function fromCallback(callback: UpdateCallback, { onGap }: WatchOptions): RunningPlugin {
  return {
    name: "callback",
    onUpdate: (update, signal) => callback(update, { signal }),
    onGap: (gap) => onGap?.(gap),
    close: () => Promise.resolve(),
  };
}
