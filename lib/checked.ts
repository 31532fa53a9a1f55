/**
 * Says what came of fetching a feed.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";
import { normalizeFeedUrl } from "./feed_url.ts";
import type { CheckedFeed, CheckOutcome } from "./fleet/turns/outcome.ts";

/** Options of {@linkcode checked}. */
export interface CheckedOptions {
  /** Aborts the call. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Says what came of fetching a feed that was {@linkcode due}, and returns when its next turn is. A
 * `Response` can be given as it is. Call it after the content is published, or stored.
 *
 * What publishers ask for is done:
 *
 * - after a success, such as 200 or 304, the next turn comes after `every`, the `max-age` of
 *   `Cache-Control`, or the feed's own `ttl`, whichever is longest;
 * - after 429 or 503 with `Retry-After`, not before that, for the feed, or by `scope` for its host
 *   or domain;
 * - after any other failure, or none answer at all, ever later, up to a day.
 *
 * No feed is held for longer than a day. After 301 and 308 the result says where the feed has
 * moved, and after 410 that it is gone: what to do then is up to you, feedsync goes on with the URL
 * that you ask for.
 *
 * The validators of a 200 are sent with the next request only if it is known which content they
 * belong to: give it as `content`, or {@linkcode publish} it before with `ifChanged`. Without a
 * call of this function, such a `publish` counts as a successful check.
 *
 * @example
 * ```ts
 * import { checked, connect, due } from "@feedsync/feedsync";
 * import assert from "node:assert/strict";
 *
 * await using sync = await connect({ store: `file:${await Deno.makeTempDir()}` });
 * const url = "https://example.com/feed.xml";
 * await due(sync, [url], { every: "15m" });
 *
 * const headers = { "Retry-After": "3600" };
 * const { next } = await checked(sync, url, { status: 429, headers, scope: "domain" });
 * assert(Date.parse(next) > Date.now() + 3_500_000);
 *
 * const location = { Location: "/new.xml" };
 * const { movedTo } = await checked(sync, url, { status: 301, headers: location });
 * assert.equal(movedTo, "https://example.com/new.xml");
 * ```
 *
 * @throws {InvalidUpdateError} when no feed can have the URL.
 * @throws {TypeError | RangeError} when the outcome is not valid.
 * @throws {StateError} when the state cannot be written.
 * @throws {ClosedError} when the connection is closed.
 */
export async function checked(
  sync: FeedSync,
  url: string | URL,
  outcome: CheckOutcome,
  { signal }: CheckedOptions = {},
): Promise<CheckedFeed> {
  signal?.throwIfAborted();
  const connection = connectionOf(sync), { parts, config: { urlSchemes: schemes } } = connection;
  const feed = normalizeFeedUrl(url, { schemes });
  if (!parts) return connection.soloTurns.checked(feed, outcome);
  return await connection.run(
    signal,
    async () => await (await connection.turns(parts)).checked(feed, outcome),
  );
}
