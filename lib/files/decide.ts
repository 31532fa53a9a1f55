/**
 * Decides which wins when a feed file and an update differ, and whether the content of a file is
 * published. Both the reader and the writer of feed files decide here. Nothing here does I/O.
 *
 * @module
 */
import { isPlausible } from "../state/newest.ts";
import type { KnownFile } from "./file_index.ts";
import type { NewestKnown } from "./file_index.ts";
import type { Snapshot } from "./snapshot.ts";

/** Which update the `.feed.json` beside a file says was written to it. */
export interface Origin {
  /** When the update was published, by the store's clock, in milliseconds since 1970. */
  readonly time: number;
  /** Hash of the content that was written with it; absent where 0.1 wrote it. */
  readonly hash?: string;
  /** Without a hash: the times of both files show that the content was written with it. */
  readonly isBeside?: boolean;
}

/** The content of a file, and who may have put it there. */
export interface FoundContent {
  /** Its hash. */
  readonly hash: string;
  /** What this server last saw in the file, for this URL. */
  readonly known?: KnownFile;
  /** What the `.feed.json` beside it says. */
  readonly origin?: Origin;
}

/**
 * Whether the content was received: the `.feed.json` beside it describes exactly this content. One that
 * is older than what was published of the file since does not count: somebody put the content back.
 */
export function isReceived({ hash, known, origin }: FoundContent): boolean {
  const isDescribed = origin?.hash === undefined ? origin?.isBeside : origin.hash === hash;
  return isDescribed === true && origin!.time >= (known?.publishedAt ?? 0);
}

/** Whether the content is kept elsewhere, in updates that were published or received. */
export function isExamined(content: FoundContent): boolean {
  const { hash, known } = content;
  return isReceived(content) || (known !== undefined && known.hash === hash && !known.isLeft);
}

/**
 * When the file was changed, by the store's clock. Tools set the time of modification back, so the time
 * at which the file system was told counts, too; except at the first look at a directory: copying a
 * directory is no change of what is in it.
 */
export function changedAt(
  { modified, changed }: Pick<Snapshot, "modified" | "changed">,
  { isFirst, clockOffset }: { readonly isFirst: boolean; readonly clockOffset: number },
): number {
  return (isFirst ? modified : Math.max(modified, changed)) + clockOffset;
}

/** What is known when an update is about to be written to a file. */
export interface WriteFacts {
  /** What is in the file; undefined: what cannot be read. */
  readonly found: FoundContent | undefined;
  /** When the file was changed, by the store's clock. */
  readonly changed: number;
  /** The update; its hash is null when the feed is gone. */
  readonly update: NewestKnown;
  /** The time by the store's clock. */
  readonly now: number;
}

/**
 * `write` the update, `keep` a copy of what is in the file first, `leave` the file as somebody changed it
 * later, `skip` an update older than the one in the file, or only `describe` content that is there.
 */
export function decideOnWrite(
  { found, changed, update, now }: WriteFacts,
): "write" | "keep" | "leave" | "skip" | "describe" {
  if (found) {
    if (isReceived(found)) {
      const { time } = found.origin!;
      return time > update.time && isPlausible(time, now)
        ? "skip"
        : found.hash === update.hash
        ? "describe"
        : "write";
    }
    if (found.hash === update.hash) return "describe";
    if (isExamined(found)) return "write";
  }
  return changed > update.time ? "leave" : "keep";
}

/** What is known of a file and its feed when the file has been read. */
export interface ContentFacts extends FoundContent {
  /** The file's time of modification, by the store's clock, in milliseconds since 1970. */
  readonly modified: number;
  /** When the file was changed, by the store's clock, in milliseconds since 1970. */
  readonly changed: number;
  /** The newest known update of its URL. */
  readonly newest: NewestKnown | undefined;
  /** Whether this content was the newest of its URL while the file was waiting to be read. */
  readonly arrived: boolean;
  /** Whether the directory is another one than that in which the file was last seen. */
  readonly isElsewhere: boolean;
}

/**
 * `publish` it, only `note` that it was seen, `leave` it as something newer is known, or do nothing
 * since it is `unchanged`.
 *
 * Content is published only if it differs from what was last seen in the file and from the newest
 * known content of the URL, so that what was just received does not go out again. That it equals an
 * update received while the file came to rest counts too: a newer one may be known by now, which is
 * about to be written to the file. When the newest update is not what was seen in the file before, the
 * file was changed beside it, and the newer of the two wins. In another directory, such as one on a disk
 * that is mounted again, a file follows only what was published from it. What was left is published once somebody
 * saves it again.
 */
export function decideOnContent(facts: ContentFacts): "unchanged" | "note" | "leave" | "publish" {
  const { hash, modified, changed, known, newest, arrived, isElsewhere } = facts;
  if (hash === known?.hash) {
    return known.isLeft && newest && modified > newest.time ? "publish" : "unchanged";
  }
  if (hash === newest?.hash || arrived || isReceived(facts)) return "note";
  if (newest === undefined) return "publish";
  const follows = isElsewhere
    ? known?.publishedAt === newest.time
    : known?.hash === null || known?.hash === newest.hash;
  if (follows) return "publish";
  return changed > newest.time ? "publish" : "leave";
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
