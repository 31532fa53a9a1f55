/**
 * Who wins when a feed file and an update differ, and whether what a file holds is published. Whoever
 * reads feed files and whoever writes over them decide here. Nothing here reads or writes.
 *
 * All times are in milliseconds since 1970 by the store's clock.
 *
 * @module
 */
import { isPlausible } from "../log/update_order.ts";
import type { FileStatus } from "./file_status.ts";
import type { KnownFile, NewestKnown } from "../known_files.ts";

/** If more than this part of the files that were seen is missing, their disk is probably not mounted. */
export const MAX_MISSING_PART = 0.1;

/** The update that was written to a file, as the `.feed.json` beside it says. */
export interface Origin {
  /** When the update was published. */
  readonly time: number;
  /** Hash of the content that was written with it; absent where 0.1 wrote it. */
  readonly hash?: string;
  /** Without a hash: the times of both files show that the content was written with it. */
  readonly isBeside?: boolean;
  /** Received or published content that the update replaces; it may still be in the file. */
  readonly replaces?: { readonly time: number; readonly hash: string };
}

/** The content of a file, and who may have put it there. */
export interface FoundContent {
  /** Its hash. */
  readonly hash: string;
  /** What this server last saw in the file, for this URL. */
  readonly known?: KnownFile;
  /** What the `.feed.json` beside it says. */
  readonly origin?: Origin;
  /** The newest known update of its URL, from wherever. */
  readonly newest?: NewestKnown | undefined;
}

/**
 * When the content was published, if it was received: the `.feed.json` beside it describes exactly this
 * content. Content older than what was published from the file since does not count: somebody put it back.
 */
export function receivedTimeOf(content: FoundContent): number | undefined {
  const { hash, known, origin } = content;
  if (!origin) return undefined;
  const time = isDescribed(content)
    ? origin.time
    // The `.feed.json` is replaced first. Once the new content was seen, the old one was put back.
    : origin.replaces?.hash === hash && known?.hash !== origin.hash
    ? origin.replaces.time
    : undefined;
  return time !== undefined && time >= (known?.publishedAt ?? 0) ? time : undefined;
}

/** 0.1 wrote no hash. Then the times of the files decide, unless the state knows better. */
function isDescribed({ hash, known, origin, newest }: FoundContent): boolean {
  if (origin!.hash !== undefined) return origin!.hash === hash;
  if (newest?.hash && newest.time === origin!.time) return newest.hash === hash;
  return origin!.isBeside === true && (known?.hash ?? hash) === hash;
}

/** The newest known update, which may be the one that the `.feed.json` names. */
export function newestOf(
  known: NewestKnown | undefined,
  origin: Origin | undefined,
  now: number,
): NewestKnown | undefined {
  if (origin?.hash === undefined || !isPlausible(origin.time, now)) return known;
  return origin.time > (known?.time ?? 0) ? { time: origin.time, hash: origin.hash } : known;
}

/**
 * When the file was changed. Tools set the modification time back, so the status change time counts,
 * too; but not at the first scan of a directory: copying a directory does not change what is in it.
 */
export function changeTimeOf(
  { modifiedAt, changedAt }: Pick<FileStatus, "modifiedAt" | "changedAt">,
  { isFirst, clockOffset }: { readonly isFirst: boolean; readonly clockOffset: number },
): number {
  return (isFirst ? modifiedAt : Math.max(modifiedAt, changedAt)) + clockOffset;
}

/** What is known when an update is about to be written to a file. */
export interface WriteFacts {
  /** What is in the file; undefined when it cannot be read. */
  readonly found: FoundContent | undefined;
  /** When the file was changed. */
  readonly changedAt: number;
  /** The update; its hash is null when the feed is gone. */
  readonly update: NewestKnown;
  /** The current time. */
  readonly now: number;
}

/**
 * `write` the update, `keep` a copy of what is in the file first, `leave` the file as somebody changed it
 * later, `skip` an update older than the one in the file, or only `describe` content that is there.
 */
export function decideOnWrite(
  { found, changedAt, update, now }: WriteFacts,
): "write" | "keep" | "leave" | "skip" | "describe" {
  if (found) {
    const time = receivedTimeOf(found);
    if (time !== undefined && time > update.time && isPlausible(time, now)) return "skip";
    if (found.hash === update.hash) return "describe";
    if (time !== undefined || wasSeen(found)) return "write";
  }
  return changedAt > update.time ? "leave" : "keep";
}

/** Whether the content was last seen in the file and not left unpublished: updates hold it. */
function wasSeen({ hash, known }: FoundContent): boolean {
  return known !== undefined && known.hash === hash && !known.isLeft;
}

/** What is known of a file and its feed when the file has been read. */
export interface ContentFacts extends FoundContent {
  /** The file's modification time. */
  readonly modifiedAt: number;
  /** When the file was changed. */
  readonly changedAt: number;
  /** The newest known update of its URL, from wherever. */
  readonly newest: NewestKnown | undefined;
  /** Whether this content was the newest of its URL while the file was waiting to be read. */
  readonly hasArrived: boolean;
  /** Whether the directory is not the one in which the file was last seen. */
  readonly isOtherDirectory: boolean;
}

/**
 * `publish` it, only `note` that it was seen, `leave` it as something newer is known, or do nothing
 * since it is `unchanged`.
 *
 * - Content is published only if it differs from what was last seen in the file and from the newest known
 *   content of the URL, so that what was just received does not go out again. It must also differ from
 *   updates received while the file came to rest: a newer one, known by now, is about to be written.
 * - Received content in the place of newer content is left: both files came from a backup.
 * - If the newest update is not what was last seen in the file, the two compete, and the newer one wins.
 * - In another directory, such as one on a disk that is mounted again, a file follows only what was
 *   published from it.
 * - What was left is published once somebody saves it again.
 */
export function decideOnContent(facts: ContentFacts): "unchanged" | "note" | "leave" | "publish" {
  const { hash, modifiedAt, changedAt, known, newest, hasArrived, isOtherDirectory } = facts;
  // What was published from another directory meanwhile is not noted as seen.
  const isBack = isOtherDirectory && newest?.hash !== hash && known?.publishedAt === newest?.time;
  if (hash === known?.hash && !isBack) {
    return known.isLeft && newest && modifiedAt > newest.time ? "publish" : "unchanged";
  }
  if (hash === newest?.hash || hasArrived) return "note";
  const received = receivedTimeOf(facts);
  const wasNewest = known !== undefined && known.hash === newest?.hash;
  if (received !== undefined) return wasNewest && received < newest!.time ? "leave" : "note";
  if (newest === undefined) return "publish";
  const follows = isOtherDirectory ? known?.publishedAt === newest.time : wasNewest;
  return follows || changedAt > newest.time ? "publish" : "leave";
}

/** What is known when a file that was seen before is gone. */
export interface RemovalFacts {
  /** Hash of what was last seen in it. */
  readonly hash: string | null;
  /** Whether removals are published at all. */
  readonly publishRemovals: boolean;
  /** Whether another file stands for the same URL: then the feed is still there. */
  readonly hasOtherFile: boolean;
  /** The newest known update of its URL. */
  readonly newest: NewestKnown | undefined;
  /** Whether a removal was the newest of its URL while the file was waiting to be examined. */
  readonly hasArrived: boolean;
}

/**
 * `publish` that the feed is gone, `leave` it since a newer update than the one in the file is known, or
 * only `note` that the file is gone.
 */
export function decideOnRemoval(facts: RemovalFacts): "note" | "leave" | "publish" {
  const { hash, publishRemovals, hasOtherFile, newest, hasArrived } = facts;
  if (!publishRemovals || hasOtherFile || hasArrived || newest?.hash === null) return "note";
  return newest === undefined || newest.hash === hash ? "publish" : "leave";
}
