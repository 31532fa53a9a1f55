/**
 * Who wins when a feed file and an update differ, and whether what was found in a file is published.
 * Whoever reads feed files and whoever writes over them decide here. Nothing here reads or writes.
 *
 * @module
 */
import { isPlausible } from "../state/newest.ts";
import type { KnownFile, NewestKnown } from "./known_files.ts";
import type { Stamp } from "./file_status.ts";

/** Which update the `.feed.json` beside a file says was written to it. */
export interface Origin {
  /** When the update was published, by the store's clock, in milliseconds since 1970. */
  readonly time: number;
  /** Hash of the content that was written with it; absent where 0.1 wrote it. */
  readonly hash?: string;
  /** Without a hash: the times of both files show that the content was written with it. */
  readonly isBeside?: boolean;
  /** Received or published content that the update takes the place of, until the file is replaced. */
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
  /** The newest known update of its URL. */
  readonly newest?: NewestKnown | undefined;
}

/**
 * When the content was published, if it was received: the `.feed.json` beside it describes exactly this
 * content. One that is older than what was published of the file since does not count: somebody put the
 * content back.
 */
export function receivedAt(content: FoundContent): number | undefined {
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

/** What 0.1 wrote has no hash: then times tell, unless the state knows better. */
function isDescribed({ hash, known, origin, newest }: FoundContent): boolean {
  if (origin!.hash !== undefined) return origin!.hash === hash;
  if (newest?.hash && newest.time === origin!.time) return newest.hash === hash;
  return origin!.isBeside === true && (known?.hash ?? hash) === hash;
}

/** Whether the content is kept elsewhere, in updates that were published or received. */
export function isExamined(content: FoundContent): boolean {
  const { hash, known } = content;
  return receivedAt(content) !== undefined ||
    (known !== undefined && known.hash === hash && !known.isLeft);
}

/** The newest known update, which may be the one that the `.feed.json` tells of. */
export function newestOf(
  known: NewestKnown | undefined,
  origin: Origin | undefined,
  now: number,
): NewestKnown | undefined {
  if (origin?.hash === undefined || !isPlausible(origin.time, now)) return known;
  return origin.time > (known?.time ?? 0) ? { time: origin.time, hash: origin.hash } : known;
}

/**
 * When the file was changed, by the store's clock. Tools set the time of modification back, so the time
 * at which the file system was told counts, too; except at the first look at a directory: copying a
 * directory is no change of what is in it.
 */
export function changedAt(
  { modified, changed }: Pick<Stamp, "modified" | "changed">,
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
    const time = receivedAt(found);
    if (time !== undefined) {
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
  /** The newest known update of its URL, from wherever. */
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
 * about to be written to the file. Received content that takes the place of newer content is left: both
 * files came from a backup. When the newest update is not what was seen in the file before, the
 * file was changed beside it, and the newer of the two wins. In another directory, such as one on a disk
 * that is mounted again, a file follows only what was published from it. What was left is published once somebody
 * saves it again.
 */
export function decideOnContent(facts: ContentFacts): "unchanged" | "note" | "leave" | "publish" {
  const { hash, modified, changed, known, newest, arrived, isElsewhere } = facts;
  // What was published from another directory meanwhile is not noted as seen.
  const isBack = isElsewhere && newest?.hash !== hash && known?.publishedAt === newest?.time;
  if (hash === known?.hash && !isBack) {
    return known.isLeft && newest && modified > newest.time ? "publish" : "unchanged";
  }
  if (hash === newest?.hash || arrived) return "note";
  const received = receivedAt(facts);
  const wasNewest = known !== undefined && known.hash === newest?.hash;
  if (received !== undefined) return wasNewest && received < newest!.time ? "leave" : "note";
  if (newest === undefined) return "publish";
  const follows = isElsewhere ? known?.publishedAt === newest.time : wasNewest;
  if (follows) return "publish";
  return changed > newest.time ? "publish" : "leave";
}

/** What is known when a file that was seen before is gone. */
export interface RemovalFacts {
  /** Hash of what was last seen in it. */
  readonly hash: string | null;
  /** Whether removals are published at all. */
  readonly publishRemovals: boolean;
  /** Whether another file stands for the same URL: then the feed is still there. */
  readonly elsewhere: boolean;
  /** The newest known update of its URL. */
  readonly newest: NewestKnown | undefined;
  /** Whether a removal was the newest of its URL while the file was waiting to be examined. */
  readonly received: boolean;
}

/**
 * `publish` that the feed is gone, `leave` it since a newer update than the one in the file is known, or
 * only `note` that the file is gone.
 */
export function decideOnRemoval(facts: RemovalFacts): "note" | "leave" | "publish" {
  const { hash, publishRemovals, elsewhere, newest, received } = facts;
  if (!publishRemovals || elsewhere || received || newest?.hash === null) return "note";
  return newest === undefined || newest.hash === hash ? "publish" : "leave";
}
