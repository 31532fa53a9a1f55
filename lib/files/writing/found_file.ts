/**
 * What is at the place of a feed file that is about to be written.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { latestChangeOf } from "../file_status.ts";

/** A file, a link, or something else. */
export interface FoundFile {
  /** Whether it can be the file of a feed: a regular one, or a link. */
  readonly isFile: boolean;
  /** Hash of the content; undefined when it cannot be read. */
  readonly hash: string | undefined;
  /** Its time of modification, in milliseconds since 1970. */
  readonly modified: number;
  /** When it was put there or changed at the latest, whatever time tools gave it. */
  readonly changed: number;
  /** Differs when it was written or replaced; a second name makes no difference. */
  readonly version: string;
  /** Rights, owner and group; absent for a link, which leads to what others may do there. */
  readonly info: Deno.FileInfo | undefined;
}

/** Looks at what is at `path`, and reads it; undefined when nothing is there. */
export async function findFile(path: string): Promise<FoundFile | undefined> {
  const own = await ignoringNotFound(Deno.lstat(path));
  if (!own) return undefined;
  const target = own.isSymlink ? await Deno.stat(path).catch(() => undefined) : own;
  const modified = Math.max(own.mtime?.getTime() ?? 0, target?.mtime?.getTime() ?? 0);
  return {
    isFile: own.isFile || own.isSymlink,
    hash: target?.isFile ? await hashOfFile(path) : undefined,
    modified,
    changed: Math.max(latestChangeOf(own), latestChangeOf(target)),
    version: versionOf(own),
    info: own.isFile ? own : undefined,
  };
}

/** Whether what is at `path` is still what was found: asked right before it is replaced. */
export async function isStill(path: string, found: FoundFile | undefined): Promise<boolean> {
  const own = await ignoringNotFound(Deno.lstat(path));
  return (own && versionOf(own)) === found?.version;
}

function versionOf({ dev, ino, size, mtime }: Deno.FileInfo): string {
  return [dev, ino, size, Number(mtime)].join(":");
}

/** However large it is; what cannot be read has no hash. */
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

async function ignoringNotFound<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
