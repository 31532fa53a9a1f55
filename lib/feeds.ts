/**
 * Lists the feeds that the servers have published.
 *
 * @module
 */
import { type Duration, parseDuration } from "./base/duration.ts";
import { connectionOf, type FeedSync } from "./connection.ts";
import { type FeedInfo, listFeeds } from "./reading/lookup/list_feeds.ts";
import type { State } from "./state/state.ts";

/** Options of {@linkcode feeds}. */
export interface FeedsOptions {
  /** Only feeds that were updated within this time. @default all feeds */
  readonly since?: Duration | undefined;
  /** Only feeds whose newest update this server published. @default all feeds */
  readonly server?: string | undefined;
  /** Aborts the call. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lists all feeds, each once and including those that are gone, with data about their newest
 * updates: first the feeds that this server knows, by URL, then the others.
 *
 * This takes one request per thousand feeds, and one for each feed that this server does not know.
 * Without the state of a watching server, the log is read, too: see {@linkcode newest}.
 *
 * @example
 * ```ts
 * import { connect, feeds, publish } from "@feedsync/feedsync";
 * import assert from "node:assert/strict";
 *
 * const store = `file:${await Deno.makeTempDir()}`;
 * await using sync = await connect({ store, server: "web-1" });
 * await publish(sync, { url: "https://example.com/feed.xml", content: "<rss></rss>" });
 * for await (const { url, server, removed } of feeds(sync, { since: "1d" })) {
 *   assert.deepEqual([url, server, removed], ["https://example.com/feed.xml", "web-1", false]);
 * }
 * ```
 *
 * @throws {RangeError} when `since` is not a duration.
 * @throws {StoreUnavailableError} when the store cannot be reached.
 * @throws {AccessDeniedError} when the store refuses.
 * @throws {UnreadableError | ConfigError} at the end, when the list may be incomplete, because a
 * part of the log could not be read.
 * @throws {ClosedError} when the connection is closed, or is closed meanwhile.
 */
export function feeds(sync: FeedSync, options: FeedsOptions = {}): AsyncIterable<FeedInfo> {
  return feedsWithState(sync, options);
}

/** {@linkcode feeds} with another state than that of the connection. */
export async function* feedsWithState(
  sync: FeedSync,
  { since, server, signal }: FeedsOptions,
  state: State | undefined = connectionOf(sync).parts?.state,
): AsyncGenerator<FeedInfo> {
  const connection = connectionOf(sync);
  const sinceMs = since === undefined ? Infinity : parseDuration(since);
  if (!state) return;
  const { closed, parts } = connection;
  const either = signal ? AbortSignal.any([signal, closed]) : closed;
  const earliest = Math.max(0, parts!.log.now() - sinceMs);
  const listed = listFeeds(connection, { state, since: earliest, server, signal: either });
  const iterator = listed[Symbol.asyncIterator]();
  try {
    for (;;) {
      either.throwIfAborted();
      const { done, value } = await connection.keepOpen(iterator.next());
      if (done) return;
      yield value;
    }
  } catch (error) {
    closed.throwIfAborted();
    throw error;
  } finally {
    await iterator.return?.(undefined);
  }
}
