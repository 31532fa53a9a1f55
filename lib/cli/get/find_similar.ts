/**
 * Suggests the feed that was meant by a mistyped URL.
 *
 * @module
 */
import { nearest } from "../../base/nearest.ts";
import { connectionOf, type FeedSync } from "../../connection.ts";
import { Knowledge } from "../../reading/lookup/knowledge.ts";
import type { KnownFeed } from "../../state/newest.ts";
import type { State } from "../../state/state.ts";

/** The known feed with the most similar URL; undefined when none is similar. */
export async function findSimilar(
  sync: FeedSync,
  url: string,
  { state, signal }: { readonly state: State | undefined; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const connection = connectionOf(sync);
  const known = await Knowledge.gather(connection, state ?? connection.parts!.state, signal);
  return nearest(url, candidates(known.all(), url));
}

/**
 * URLs with the same host or the same path. Others may be similar enough by edit distance, but mean
 * something else.
 */
function* candidates(feeds: Iterable<KnownFeed>, wanted: string): Iterable<string> {
  const { host, path } = partsOf(wanted);
  for (const { url, hash } of feeds) {
    if (hash === null) continue;
    const its = partsOf(url);
    if (its.host === host || its.path === path && path.length > 1) yield url;
  }
}

function partsOf(url: string): { host: string | undefined; path: string } {
  const parsed = URL.parse(url);
  const { hostname, pathname = "", search = "" } = parsed ?? {};
  return { host: hostname?.replace(/^www\./, ""), path: pathname + search };
}
