/**
 * Asks which feeds are to be fetched now.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "./connection.ts";
import type { DueOptions, Turn } from "./fleet/turns/turn.ts";

/**
 * Takes turns with the other servers: for each URL, whether this server is to fetch the feed now.
 */
export async function due(
  sync: FeedSync,
  urls: Iterable<string | URL>,
  { signal }: DueOptions,
): Promise<Turn[]> {
  signal?.throwIfAborted();
  connectionOf(sync);
  const leasedUntil = new Date().toISOString();
  return await Promise.resolve(Array.from(
    urls,
    (url): Turn => ({ url: String(url), due: true, validators: {}, headers: {}, leasedUntil }),
  ));
}
