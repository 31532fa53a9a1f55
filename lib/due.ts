/**
 * Asks which feeds are to be fetched now.
 *
 * @module
 */
import { parseDuration } from "./base/duration.ts";
import { connectionOf, type FeedSync } from "./connection.ts";
import type { DueOptions, Turn } from "./fleet/turns/turn.ts";

/** The shortest interval between two fetches of a feed. */
export const MIN_EVERY_MS = 1000;

/**
 * Takes turns with the other servers at fetching feeds. Answers for each URL, in order, whether
 * this server is to fetch the feed now; or why it is not, and until when. Each feed belongs to one
 * of the servers that ask for it; when a server is gone, others take its feeds over.
 *
 * Ask again and again for all feeds that you are subscribed to, for example each minute: what you
 * no longer ask for is left to the others. Fetch what is due with the `headers` of the answer, and
 * tell {@linkcode checked} what came of it. Feeds of one domain are handed out one after the other,
 * so ask again when one is done.
 *
 * The first call says in the bucket that this server takes turns, and sees who else does; later
 * calls do so once a minute. If the store cannot be reached, the servers that were seen last count
 * as present. When feedsync is disabled, each feed is due once an interval, as long as the process
 * runs.
 *
 * @example
 * ```ts
 * import { checked, connect, due, publish } from "@feedsync/feedsync";
 * import assert from "node:assert/strict";
 *
 * const store = `file:${await Deno.makeTempDir()}`; // or "s3://bucket/prefix"
 * await using sync = await connect({ store, server: "web-1" });
 *
 * const url = "https://example.com/feed.xml";
 * const [turn] = await due(sync, [url], { every: "15m" });
 * assert(turn.due);
 *
 * // const response = await fetch(url, { headers: turn.headers });
 * const response = new Response("<rss></rss>", { headers: { ETag: '"1"' } });
 * const content = await response.text();
 * await publish(sync, { url, content }, { ifChanged: true });
 * const { next } = await checked(sync, url, response);
 *
 * const [again] = await due(sync, [url], { every: "15m" });
 * assert(!again.due && again.reason === "fresh" && again.until === next);
 * ```
 *
 * @throws {RangeError} when an option is out of range.
 * @throws {ConfigError} when `presence` is `false`: then others cannot see this server.
 * @throws {StoreUnavailableError | AccessDeniedError} when the other servers were never seen, and
 * the store cannot be reached.
 * @throws {StateError} when the state cannot be written.
 * @throws {ClosedError} when the connection is closed, or is closed meanwhile.
 */
export async function due(
  sync: FeedSync,
  urls: Iterable<string | URL>,
  { every, limit = Infinity, signal }: DueOptions,
): Promise<Turn[]> {
  signal?.throwIfAborted();
  const connection = connectionOf(sync), { parts } = connection;
  const everyMs = parseDuration(every);
  if (everyMs < MIN_EVERY_MS) {
    throw new RangeError(
      `'every' must be at least "1s": current value is ${JSON.stringify(every)}`,
    );
  }
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new RangeError(`'limit' must be a whole number, not negative: current value is ${limit}`);
  }
  const asked: string[] = [];
  for (const url of urls) asked.push(url instanceof URL ? url.href : url);
  if (!parts) return connection.soloTurns.due(asked, { everyMs, limit });
  return await connection.run(
    signal,
    async (signal) => await (await connection.turns(parts)).due(asked, { everyMs, limit, signal }),
  );
}
