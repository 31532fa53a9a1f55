/**
 * Detects cheaply whether a feed file may have changed.
 *
 * @module
 */
import { fileVersion } from "../base/file_version.ts";

/** Different contents written within this time may have the same snapshot: file times are coarse. */
const FILE_TIME_RESOLUTION_MS = 2_000;

/** A feed file and its `.feed.json` as the file system describes them. */
export interface Snapshot {
  /** A regular file, nothing at all, or anything else: directory, dangling link, device. */
  readonly kind: "file" | "gone" | "other";
  /** Differs when either of the two files was changed or replaced. */
  readonly version: string;
  /** Bytes in the feed file. */
  readonly size: number;
  /** When the feed file was modified, in milliseconds since 1970. */
  readonly modified: number;
  /**
   * The latest time at which the feed file may have been moved there or changed, whatever modification
   * time tools gave it. Some file systems keep whole seconds only.
   */
  readonly changed: number;
  /** When either of the two was last changed, even if tools set the modification time back. */
  readonly touched: number;
}

/**
 * Takes the snapshot of the file at `path`, following links. `alone`: there is no `.feed.json` to look
 * for.
 */
export async function takeSnapshot(path: string, { alone = false } = {}): Promise<Snapshot> {
  const [feed, details] = await Promise.all([
    statOf(path),
    alone ? undefined : statOf(path + ".json"),
  ]);
  const kind = feed ? feed.isFile ? "file" : "other" : await isThere(path) ? "other" : "gone";
  const modified = timeOf(feed);
  return {
    kind,
    version: `${kind} ${feed && fileVersion(feed)} ${details && fileVersion(details)}`,
    size: feed?.size ?? 0,
    modified,
    changed: latestChangeOf(feed),
    touched: Math.max(modified, timeOf(details), changeOf(feed), changeOf(details)),
  };
}

/** Whether a file read at `now` cannot have changed since without a change of its snapshot. */
export function isReliable(snapshot: Snapshot, now: number): boolean {
  return now - snapshot.touched > FILE_TIME_RESOLUTION_MS;
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A dangling link exists: perhaps its disk is not mounted. */
async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function timeOf(info: Deno.FileInfo | undefined): number {
  return info?.mtime?.getTime() ?? 0;
}

/** File times come from a clock that advances in steps. */
const TICK_MS = 10;

/** The latest time at which the file may have been moved there or changed. */
export function latestChangeOf(info: Deno.FileInfo | undefined): number {
  const [modified, changed] = [timeOf(info), changeOf(info)];
  return modified >= changed ? modified + TICK_MS : changed + 999;
}

/** In whole seconds, and never later than the change. */
function changeOf(info: Deno.FileInfo | undefined): number {
  return info?.ctime?.getTime() ?? 0;
}
