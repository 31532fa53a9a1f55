/**
 * Replaces a file in one step, whole or not at all.
 *
 * @module
 */
import { join } from "node:path";
import { inDirectory, renameDurably, writeDurably } from "../../base/durable_file.ts";

/** Written, and not yet at its place. */
export interface PreparedFile extends AsyncDisposable {
  /** Gives it the mode, owner and group of what it replaces, as far as that is allowed. */
  take(info: Deno.FileInfo): Promise<void>;
  /** Renames it to `path`, which replaces a symbolic link instead of following it. */
  moveTo(path: string): Promise<void>;
}

/**
 * Writes a temporary file, in a directory that is made when it is missing. Its name is new each time: a
 * call that ran out of time may still be writing. It has `mode` from the moment on at which it is made.
 */
export async function prepareFile(
  directory: string,
  bytes: Uint8Array,
  mode?: number,
): Promise<PreparedFile> {
  const path = join(directory, `.feedsync-${crypto.randomUUID()}.tmp`);
  const remove = () => Deno.remove(path).catch(() => {}); // What went wrong first is what is told.
  try {
    await inDirectory(directory, () => writeDurably(path, bytes, { mode }));
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
