/**
 * The newest content of a feed.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";
import { feedIdentity, isReadableFeedUrl, normalizeFeedUrl } from "./feed_url.ts";
import { findNewest } from "./reading/lookup/find_newest.ts";
import type { State } from "./state/state.ts";
import type { Update } from "./update.ts";

/** Options of {@linkcode newest}. */
export interface NewestOptions {
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The newest update of a feed, which may say that the feed is gone; undefined when none is known. Nothing is
 * delivered, and no cursor moves.
 *
 * A server that watches, and has polled within the last ten minutes, knows where the update is: that takes two
 * or three requests, none for an own update that is still in the state. Without such a state the log is read
 * for this, whole at the first call on a connection; later calls read what is new.
 *
 * @example
 * ```ts
 * import { connect, newest, publish } from "@feedsync/feedsync";
 * import assert from "node:assert/strict";
 *
 * const store = `file:${await Deno.makeTempDir()}`;
 * await using web1 = await connect({ store, server: "web-1" });
 * await using web2 = await connect({ store, server: "web-2" });
 *
 * await publish(web1, { url: "https://example.com/feed.xml", content: "<rss></rss>" });
 * const update = await newest(web2, "https://example.com/feed.xml");
 * assert.equal(update?.content, "<rss></rss>");
 * assert.equal(await newest(web2, "https://example.com/other.xml"), undefined);
 * ```
 *
 * @throws {InvalidUpdateError} when no feed can have the URL.
 * @throws {StoreUnavailableError} when the store cannot be reached.
 * @throws {AccessDeniedError} when the store refuses.
 * @throws {MissingKeyError | UnsupportedFormatError} when it takes a key or an upgrade to read the update.
 * @throws {UnreadableError} when nothing is known of the feed, and some of the log could not be read.
 * @throws {FeedSyncError} when an update is known, and neither it nor an older one can be read.
 * @throws {ClosedError} when the connection is closed, or gets closed meanwhile.
 */
export async function newest(
  sync: FeedSync,
  url: string | URL,
  options: NewestOptions = {},
): Promise<Update | undefined> {
  return await newestWithState(sync, url, options);
}

/** {@linkcode newest}; `state` is that of the server. */
export async function newestWithState(
  sync: FeedSync,
  url: string | URL,
  { signal }: NewestOptions,
  state: State | undefined = connectionOf(sync).parts?.state,
): Promise<Update | undefined> {
  const connection = connectionOf(sync), feed = urlOf(url);
  if (!state) return undefined;
  const { closed } = connection;
  const either = signal ? AbortSignal.any([signal, closed]) : closed;
  try {
    return await connection.keepOpen(findNewest(connection, { url: feed, state, signal: either }));
  } catch (error) {
    closed.throwIfAborted();
    throw error;
  }
}

/** Older servers published URLs that are not accepted any more: those can be asked for. */
function urlOf(url: string | URL): string {
  const text = url instanceof URL ? url.href : url;
  const isReadable = typeof text === "string" && isReadableFeedUrl(text);
  return isReadable ? feedIdentity(text) : normalizeFeedUrl(text); // Which says what is wrong.
}
