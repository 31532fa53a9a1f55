/**
 * Replaces a file in one step, whole or not at all.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { inDirectory, renameDurably, writeDurably } from "../base/durable_file.ts";

/** Written, and not yet at its place. */
export interface PreparedFile extends AsyncDisposable {
  /** Gives it the mode, owner and group of what it replaces, as far as that is allowed. */
  take(info: Deno.FileInfo): Promise<void>;
  /** Renames it to `path`, which replaces a symbolic link instead of following it. */
  moveTo(path: string): Promise<void>;
}

/**
 * Writes a temporary file, in a directory that is made when it is missing. Its name is new each time: a
 * call that ran out of time may still be writing.
 */
export async function prepareFile(directory: string, bytes: Uint8Array): Promise<PreparedFile> {
  const path = join(directory, `.feedsync-${crypto.randomUUID()}.tmp`);
  const remove = () => Deno.remove(path).catch(() => {}); // What went wrong first is what is told.
  try {
    await inDirectory(directory, () => writeDurably(path, bytes));
  } catch (error) {
    await remove();
    throw error;
  }
  let isMoved = false;
  return {
    take: (info) => takeRights(path, info),
    async moveTo(to) {
      await renameDurably(path, to);
      isMoved = true;
    },
    async [Symbol.asyncDispose]() {
      if (!isMoved) await remove();
    },
  };
}

/** Only the superuser may give files away: what can be kept is kept. No file becomes a program of somebody. */
async function takeRights(path: string, { mode, uid, gid }: Deno.FileInfo): Promise<void> {
  if (mode === null) return; // Windows knows none.
  const own = await Deno.stat(path);
  if (own.uid !== uid || own.gid !== gid) {
    await Deno.chown(path, uid, gid)
      .catch(() => Deno.chown(path, null, gid))
      .catch(() => {});
  }
  // After that: a change of the owner takes some rights away.
  if (own.mode !== mode) await Deno.chmod(path, mode & 0o777).catch(() => {});
}

const TEMPORARY_NAME = /^\.feedsync-[0-9a-f-]{36}\.tmp$/;
const LEFTOVER_AGE_MS = 10 * 60_000;

/** Deletes the temporary files of processes that crashed; younger ones may still be in use. */
export async function removeLeftovers(directory: string): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    if (!TEMPORARY_NAME.test(name)) continue;
    const path = join(directory, name);
    const mtime = (await Deno.lstat(path).catch(() => undefined))?.mtime;
    if (!mtime || Date.now() - mtime.getTime() <= LEFTOVER_AGE_MS) continue;
    await Deno.remove(path).catch(() => {}); // Another process may have done it.
  }
}

/** No longer name is allowed by common file systems, in bytes. */
const MAX_NAME_BYTES = 255;

/** Copies of one file made within the same second. */
const MOST_COPIES = 1000;

/**
 * Gives what is at `path` a second name, which no feed file has, and returns the path of that; undefined
 * when nothing is there any more. What has such a name already stays. A link stays a link. The file
 * stays at `path`, too, where the file system allows two names.
 */
export async function keepAside(path: string, now: Date): Promise<string | undefined> {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  for (let copy = 1; copy <= MOST_COPIES; copy++) {
    const suffix = `.kept-${time}Z${copy === 1 ? "" : `-${copy}`}`;
    const kept = join(dirname(path), shortenedTo(basename(path), suffix) + suffix);
    try {
      await Deno.link(path, kept);
      return kept;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      if (error instanceof Deno.errors.NotFound) return undefined;
    }
    // The file system has no second names; what is at the new one must not be replaced.
    if (await isThere(kept)) continue;
    return await rename(path, kept) ? kept : undefined;
  }
  throw new Error(`Cannot keep '${path}': there are ${MOST_COPIES} kept copies of it already`);
}

function shortenedTo(name: string, suffix: string): string {
  let text = name;
  while (new TextEncoder().encode(text + suffix).length > MAX_NAME_BYTES) {
    text = [...text].slice(0, -1).join("");
  }
  return text;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function rename(from: string, to: string): Promise<boolean> {
  try {
    await Deno.rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
