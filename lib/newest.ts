/**
 * Looks up the newest content of a feed.
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
  /** Aborts the call. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the newest update of a feed, which may be its removal; undefined when none is known.
 * Delivers nothing and moves no cursor.
 *
 * If a watcher with the same state has polled within the last ten minutes, the state tells where
 * the update is. Then the call takes two or three requests, or none for an own update that is not
 * uploaded yet. Otherwise, the first call of a connection reads the whole log, and each later call
 * reads what was added.
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
 * @throws {MissingKeyError | UnsupportedFormatError} when reading the update takes a key or an
 * upgrade.
 * @throws {UnreadableError} when the feed is unknown, and a part of the log could not be read.
 * @throws {FeedSyncError} when an update is known, but neither it nor an older one can be read.
 * @throws {ClosedError} when the connection is closed, or is closed meanwhile.
 */
export async function newest(
  sync: FeedSync,
  url: string | URL,
  options: NewestOptions = {},
): Promise<Update | undefined> {
  return await newestWithState(sync, url, options);
}

/** {@linkcode newest} with another state than that of the connection. */
export async function newestWithState(
  sync: FeedSync,
  url: string | URL,
  { signal }: NewestOptions,
  state: State | undefined = connectionOf(sync).parts?.state,
): Promise<Update | undefined> {
  const connection = connectionOf(sync), feed = urlOf(url);
  if (!state) return undefined;
  return await connection.run(
    signal,
    (signal) => findNewest(connection, { url: feed, state, signal }),
  );
}

/** Accepts URLs that can no longer be published, too: older servers did publish them. */
function urlOf(url: string | URL): string {
  const text = url instanceof URL ? url.href : url;
  const isReadable = typeof text === "string" && isReadableFeedUrl(text);
  return isReadable ? feedIdentity(text) : normalizeFeedUrl(text); // Throws.
}
