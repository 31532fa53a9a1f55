/**
 * Whether what was found in a file is published. Nothing here reads or writes.
 *
 * @module
 */
import type { NewestKnown } from "./ledger.ts";

/** What is known of a file and its feed when the file has been read. */
export interface ContentFacts {
  /** Hash of what is in the file now. */
  readonly hash: string;
  /** When the file was modified, in milliseconds since 1970. */
  readonly modified: number;
  /** Hash of what was last seen in it; null: it was gone; undefined: never seen for this URL. */
  readonly seen: string | null | undefined;
  /** The newest known update of its URL. */
  readonly newest: NewestKnown | undefined;
  /** Whether this content was the newest of its URL while the file was waiting to be read. */
  readonly received: boolean;
}

/**
 * `publish` it, only `note` that it was seen, or leave all as it is (`unchanged`).
 *
 * Content is published only if it differs from what was last seen in the file and from the newest
 * known content of the URL, so that what was just received does not go out again. That it equals an
 * update received while the file came to rest counts too: a newer one may be known by now, which is
 * about to be written to the file. A file never seen before is published only if it is newer than
 * all that is known of its URL, so that old files found at a first start overwrite nothing.
 */
export function decideOnContent(facts: ContentFacts): "unchanged" | "note" | "publish" {
  const { hash, modified, seen, newest, received } = facts;
  if (newest === undefined) return "publish";
  if (hash === seen) return "unchanged";
  if (hash === newest.hash || received) return "note";
  if (seen === undefined && modified <= newest.time) return "note";
  return "publish";
}

/** What is known when a file that was seen before is gone. */
export interface RemovalFacts {
  /** Whether removals are published at all. */
  readonly publishRemovals: boolean;
  /** Whether another file stands for the same URL: then the feed is still there. */
  readonly elsewhere: boolean;
  /** The newest known update of its URL. */
  readonly newest: NewestKnown | undefined;
  /** Whether a removal was the newest of its URL while the file was waiting to be examined. */
  readonly received: boolean;
}

/** `publish` that the feed is gone, or only `note` that the file is. */
export function decideOnRemoval(facts: RemovalFacts): "note" | "publish" {
  const { publishRemovals, elsewhere, newest, received } = facts;
  const receivedRemoval = newest?.hash === null || received;
  return publishRemovals && !elsewhere && !receivedRemoval ? "publish" : "note";
}
