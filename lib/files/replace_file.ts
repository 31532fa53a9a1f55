/**
 * Replaces files atomically, and keeps what a person saved in them.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { inDirectory, renameDurably, writeDurably } from "../base/durable_file.ts";

/** A file that is written under a temporary name. */
export interface PreparedFile extends AsyncDisposable {
  /** Gives it the mode, owner and group of the file that it replaces, as far as permitted. */
  take(info: Deno.FileInfo): Promise<void>;
  /** Renames it to `path`; a symbolic link there is replaced, not followed. */
  moveTo(path: string): Promise<void>;
}

/**
 * Writes a temporary file, in a directory that is made when it is missing. Its name is new each time: a
 * call that ran out of time may still be writing.
 */
export async function prepareFile(directory: string, bytes: Uint8Array): Promise<PreparedFile> {
  const path = join(directory, `.feedsync-${crypto.randomUUID()}.tmp`);
  const remove = () => Deno.remove(path).catch(() => {}); // The first error is the one to report.
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

/** Only root may change owners, so this keeps what it can. The setuid and setgid bits are dropped. */
async function takeRights(path: string, { mode, uid, gid }: Deno.FileInfo): Promise<void> {
  if (mode === null) return; // Windows has no modes.
  const own = await Deno.stat(path);
  if (own.uid !== uid || own.gid !== gid) {
    await Deno.chown(path, uid, gid)
      .catch(() => Deno.chown(path, null, gid))
      .catch(() => {});
  }
  // Last, since a change of the owner clears some bits.
  if (own.mode !== mode) await Deno.chmod(path, mode & 0o777).catch(() => {});
}

const TEMPORARY_NAME = /^\.feedsync-[0-9a-f-]{36}\.tmp$/;
const LEFTOVER_AGE_MS = 10 * 60_000;

/** Deletes old temporary files of processes that crashed; younger ones may be in use. */
export async function removeLeftovers(directory: string): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    if (!TEMPORARY_NAME.test(name)) continue;
    const path = join(directory, name);
    const mtime = (await Deno.lstat(path).catch(() => undefined))?.mtime;
    if (!mtime || Date.now() - mtime.getTime() <= LEFTOVER_AGE_MS) continue;
    await Deno.remove(path).catch(() => {}); // Another process may have done it.
  }
}

/** Longest name that common file systems allow. */
const MAX_NAME_BYTES = 255;

/** How many copies of one file are kept of the same second. */
const MAX_COPIES = 1000;

/**
 * Keeps what is at `path` under a second name, which no feed file has; resolves to its path, or undefined
 * when nothing is at `path` any more. Replaces no file. A link stays a link. Where the file system
 * supports hard links, the file also stays at `path`.
 */
export async function keepAside(path: string, now: Date): Promise<string | undefined> {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  for (let copy = 1; copy <= MAX_COPIES; copy++) {
    const suffix = `.kept-${time}Z${copy === 1 ? "" : `-${copy}`}`;
    const kept = join(dirname(path), shortenedTo(basename(path), suffix) + suffix);
    try {
      await Deno.link(path, kept);
      return kept;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      if (error instanceof Deno.errors.NotFound) return undefined;
    }
    // Without hard links the file is renamed, which must not replace another one.
    if (await isThere(kept)) continue;
    return await rename(path, kept) ? kept : undefined;
  }
  throw new Error(`Cannot keep '${path}': it has ${MAX_COPIES} kept copies already`);
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
