/**
 * Tells cheaply whether a feed file may have changed.
 *
 * @module
 */
import { fileVersion } from "../base/file_version.ts";

/** Two different contents written within this time may carry the same stamp: file times are coarse. */
const COARSEST_FILE_TIME = 2_000;

/** A file and the `.feed.json` beside it as the file system describes them, unread. */
export interface Stamp {
  /** A regular file, nothing at all, or anything else: directory, dangling link, device. */
  readonly kind: "file" | "gone" | "other";
  /** Differs when either of the two files was changed or replaced. */
  readonly key: string;
  /** Bytes in the feed file. */
  readonly size: number;
  /** When the feed file was modified, in milliseconds since 1970. */
  readonly modified: number;
  /**
   * When the feed file was put in its place or changed, whatever time tools gave it; at the latest: the
   * file system tells whole seconds.
   */
  readonly changed: number;
  /** When either of the two was last changed, as far as can be told: tools set the time of modification back. */
  readonly touched: number;
}

/**
 * Takes the stamp of the file at `path`; links are followed. `alone` saves the look for the
 * `.feed.json` when it is known that there is none.
 */
export async function takeStamp(path: string, { alone = false } = {}): Promise<Stamp> {
  const [feed, details] = await Promise.all([
    statOf(path),
    alone ? undefined : statOf(path + ".json"),
  ]);
  const kind = feed ? feed.isFile ? "file" : "other" : await isThere(path) ? "other" : "gone";
  const modified = timeOf(feed);
  return {
    kind,
    key: `${kind} ${feed && fileVersion(feed)} ${details && fileVersion(details)}`,
    size: feed?.size ?? 0,
    modified,
    changed: latestChangeOf(feed),
    touched: Math.max(modified, timeOf(details), changeOf(feed), changeOf(details)),
  };
}

/** Whether a file read at `now` cannot have changed since without a change of its stamp. */
export function isReliable(stamp: Stamp, now: number): boolean {
  return now - stamp.touched > COARSEST_FILE_TIME;
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A link that leads nowhere is there: perhaps only its disk is not mounted. */
async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function timeOf(info: Deno.FileInfo | undefined): number {
  return info?.mtime?.getTime() ?? 0;
}

/** Systems date files by a clock that advances with each tick, in milliseconds. */
const TICK = 10;

/** When it was put there or changed at the latest. */
export function latestChangeOf(info: Deno.FileInfo | undefined): number {
  const [modified, changed] = [timeOf(info), changeOf(info)];
  return modified >= changed ? modified + TICK : changed + 999;
}

/** In whole seconds, and never later than the change. */
function changeOf(info: Deno.FileInfo | undefined): number {
  return info?.ctime?.getTime() ?? 0;
}
