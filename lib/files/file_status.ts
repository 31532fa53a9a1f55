/**
 * What the file system says of a feed file: whether it may have changed, and when.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { fileVersion } from "../base/file_version.ts";

/** Two contents written within this time may have the same fingerprint: file times are coarse. */
const COARSEST_FILE_TIME_MS = 2_000;

/** Systems date files by a clock that advances in ticks. */
const TICK_MS = 10;

/** `ctime` is in whole seconds, rounded down. */
const MAX_ROUNDING_MS = 999;

/** A feed file and the `.feed.json` beside it, unread. */
export interface FileStatus {
  /** A regular file, nothing at all, or anything else: a directory, dangling link or device. */
  readonly kind: "file" | "gone" | "other";
  /** Differs when either of the two files was changed or replaced. */
  readonly fingerprint: string;
  /** Bytes in the feed file. */
  readonly sizeBytes: number;
  /** When the feed file was modified, in milliseconds since 1970. */
  readonly modifiedAt: number;
  /** The latest time at which it may have been changed or put in its place, whatever time tools gave it. */
  readonly changedAt: number;
  /** When either of the two was last changed, as far as is known: tools set the modification time back. */
  readonly touchedAt: number;
}

/** Reads the status of the file at `path`; follows links. `isAlone`: no `.feed.json` is looked for. */
export async function readStatus(path: string, { isAlone = false } = {}): Promise<FileStatus> {
  const [feed, feedJson] = await Promise.all([
    ignoreNotFound(Deno.stat(path)),
    isAlone ? undefined : ignoreNotFound(Deno.stat(`${path}.json`)),
  ]);
  const kind = feed ? feed.isFile ? "file" : "other" : await isThere(path) ? "other" : "gone";
  const modifiedAt = mtimeOf(feed);
  return {
    kind,
    fingerprint: `${kind} ${feed && fileVersion(feed)} ${feedJson && fileVersion(feedJson)}`,
    sizeBytes: feed?.size ?? 0,
    modifiedAt,
    changedAt: latestChangeOf(feed),
    touchedAt: Math.max(modifiedAt, mtimeOf(feedJson), ctimeOf(feed), ctimeOf(feedJson)),
  };
}

/** Whether a file that was read at `now` cannot have changed since with the same fingerprint. */
export function isReliable({ touchedAt }: FileStatus, now: number): boolean {
  return now - touchedAt > COARSEST_FILE_TIME_MS;
}

/** What is at the path that an update is about to be written to. */
export interface CurrentFile {
  /** Whether it can be the file of a feed: a regular one, or a link. */
  readonly isFile: boolean;
  /** Hash of the content; undefined when it cannot be read. */
  readonly hash: string | undefined;
  /** See {@linkcode FileStatus.modifiedAt}. */
  readonly modifiedAt: number;
  /** See {@linkcode FileStatus.changedAt}. */
  readonly changedAt: number;
  /** Differs when it was written or replaced; another link to it makes no difference. */
  readonly version: string;
  /** Mode, owner and group; undefined for a link, whose target has other ones. */
  readonly info: Deno.FileInfo | undefined;
}

/** Reads what is at `path`; undefined when nothing is there. */
export async function readCurrentFile(path: string): Promise<CurrentFile | undefined> {
  const own = await ignoreNotFound(Deno.lstat(path));
  if (!own) return undefined;
  const target = own.isSymlink ? await Deno.stat(path).catch(() => undefined) : own;
  return {
    isFile: own.isFile || own.isSymlink,
    hash: target?.isFile ? await hashOfFile(path) : undefined,
    modifiedAt: Math.max(mtimeOf(own), mtimeOf(target)),
    changedAt: Math.max(latestChangeOf(own), latestChangeOf(target)),
    version: versionOf(own),
    info: own.isFile ? own : undefined,
  };
}

/** Whether `current` is still at the path: asked right before it is replaced. */
export async function isStill(path: string, current: CurrentFile | undefined): Promise<boolean> {
  const own = await ignoreNotFound(Deno.lstat(path));
  return (own && versionOf(own)) === current?.version;
}

function versionOf({ dev, ino, size, mtime }: Deno.FileInfo): string {
  return [dev, ino, size, Number(mtime)].join(":");
}

/** Reads in parts, as the file may be of any size. */
async function hashOfFile(path: string): Promise<string | undefined> {
  try {
    const hash = createHash("sha256");
    using file = await Deno.open(path);
    const buffer = new Uint8Array(256 * 1024);
    for (let count; (count = await file.read(buffer)) !== null;) {
      hash.update(buffer.subarray(0, count));
    }
    return hash.digest("base64");
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function ignoreNotFound<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A link that leads nowhere is there: perhaps only its disk is not mounted. */
async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function latestChangeOf(info: Deno.FileInfo | undefined): number {
  const modifiedAt = mtimeOf(info), changedAt = ctimeOf(info);
  return modifiedAt >= changedAt ? modifiedAt + TICK_MS : changedAt + MAX_ROUNDING_MS;
}

function mtimeOf(info: Deno.FileInfo | undefined): number {
  return info?.mtime?.getTime() ?? 0;
}

function ctimeOf(info: Deno.FileInfo | undefined): number {
  return info?.ctime?.getTime() ?? 0;
}
