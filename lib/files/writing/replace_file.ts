/**
 * Replaces a file in one step, whole or not at all, and keeps copies of what a person saved.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { inDirectory, renameDurably, writeDurably } from "../../base/durable_file.ts";

/** A file that is written, and not yet at its place. */
export interface PreparedFile extends AsyncDisposable {
  /** Gives it the mode, owner and group of what it replaces, as far as that is allowed. */
  copyRights(info: Deno.FileInfo): Promise<void>;
  /** Renames it to `path`, which replaces a symbolic link instead of following it. */
  moveTo(path: string): Promise<void>;
}

/**
 * Writes a temporary file, with `mode` as soon as it exists; makes the directory when it is missing. The
 * name is new each time: a call that timed out may still be writing.
 */
export async function prepareFile(
  directory: string,
  bytes: Uint8Array,
  mode?: number,
): Promise<PreparedFile> {
  const path = join(directory, `.feedsync-${crypto.randomUUID()}.tmp`);
  const remove = () => Deno.remove(path).catch(() => {}); // The first error is the one to report.
  try {
    await inDirectory(directory, () => writeDurably(path, bytes, { mode }));
  } catch (error) {
    await remove();
    throw error;
  }
  let isMoved = false;
  return {
    copyRights: (info) => copyRights(path, info),
    async moveTo(to) {
      await renameDurably(path, to);
      isMoved = true;
    },
    async [Symbol.asyncDispose]() {
      if (!isMoved) await remove();
    },
  };
}

/** Only the superuser may give files away: what can be copied is. The setuid bit never is. */
async function copyRights(path: string, { mode, uid, gid }: Deno.FileInfo): Promise<void> {
  if (mode === null) return; // On Windows.
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

/** Common file systems allow no longer name. */
const MAX_NAME_BYTES = 255;

/** Copies of one file made within the same second. */
const MAX_COPIES = 1000;

/**
 * Keeps what is at `path` under a second name, which no feed file has. Returns the path of the copy;
 * undefined when nothing is there any more. Existing copies stay; a link stays a link. Where the file
 * system has no hard links, the content is copied. The file at `path` stays there in any case: if it were
 * missing for a moment, its feed would seem to be gone.
 */
export async function keepCopy(path: string, now: Date): Promise<string | undefined> {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  for (let copy = 1; copy <= MAX_COPIES; copy++) {
    const suffix = `.kept-${time}Z${copy === 1 ? "" : `-${copy}`}`;
    const kept = join(dirname(path), shortenedTo(basename(path), suffix) + suffix);
    try {
      await Deno.link(path, kept).catch((error) => copyUnlessThere(error, path, kept));
      return kept;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
  throw new Error(`Cannot keep '${path}': there are ${MAX_COPIES} kept copies of it already`);
}

function shortenedTo(name: string, suffix: string): string {
  let text = name;
  while (new TextEncoder().encode(text + suffix).length > MAX_NAME_BYTES) {
    text = [...text].slice(0, -1).join("");
  }
  return text;
}

/** Copies after a hard link has failed with `reason`. */
async function copyUnlessThere(reason: unknown, from: string, to: string): Promise<void> {
  if (reason instanceof Deno.errors.AlreadyExists) throw reason;
  const { isSymlink, mode } = await Deno.lstat(from);
  if (isSymlink) return await Deno.symlink(await Deno.readLink(from), to);
  try {
    await writeDurably(to, await Deno.readFile(from), { mode: (mode ?? 0o600) & 0o777 });
  } catch (error) {
    // Nobody here has published what cannot be read: it may be missing for a moment.
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    await Deno.rename(from, to);
  }
}
