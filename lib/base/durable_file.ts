/**
 * Files and directories that are still there after a power failure.
 *
 * @module
 */
import { dirname } from "node:path";

/**
 * Writes a new file; resolves to when it was written, in milliseconds since 1970, by the clock of the
 * file system. The file has `mode` as soon as it exists.
 *
 * @example
 * ```ts
 * import { renameDurably, writeDurably } from "@feedsync/feedsync/plugin";
 *
 * const directory = await Deno.makeTempDir();
 * await writeDurably(`${directory}/unfinished`, new TextEncoder().encode("<rss></rss>"));
 * await renameDurably(`${directory}/unfinished`, `${directory}/feed.xml`);
 * ```
 *
 * @throws {Deno.errors.AlreadyExists} when there is a file with that name.
 */
export async function writeDurably(
  path: string,
  bytes: Uint8Array,
  { mode }: { readonly mode?: number } = {},
): Promise<number> {
  using file = await Deno.open(path, { write: true, createNew: true, mode });
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  await file.sync();
  const { mtime } = await file.stat();
  return mtime!.getTime();
}

/**
 * Renames a file, replacing what is at `to`; makes the directory when it is missing.
 *
 * @example
 * ```ts
 * import { renameDurably } from "@feedsync/feedsync/plugin";
 *
 * const directory = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${directory}/old`, "");
 * await renameDurably(`${directory}/old`, `${directory}/made/new`);
 * ```
 */
export async function renameDurably(from: string, to: string): Promise<void> {
  const directory = dirname(to);
  await inDirectory(directory, () => Deno.rename(from, to));
  await ifThere(syncDirectory(directory)); // It may be gone again, with the file.
}

/**
 * Gives a file a second name.
 *
 * @throws {Deno.errors.AlreadyExists} when there is a file with that name.
 */
export async function linkDurably(from: string, to: string): Promise<void> {
  await Deno.link(from, to);
  await syncDirectory(dirname(to));
}

/**
 * How often a directory is made for a file. It may be removed before the file is in it: whoever deletes
 * the last file in a directory of a store removes the directory, too.
 */
const MAX_ATTEMPTS = 10;

/** Runs `action`; makes the directory and repeats it when it fails because that is missing. */
export async function inDirectory<T>(directory: string, action: () => Promise<T>): Promise<T> {
  let unsynced: readonly string[] = [];
  for (let attempt = 1;; attempt++) {
    try {
      return await action(); // First: an empty directory may be removed at any time.
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) || attempt === MAX_ATTEMPTS) throw error;
    } finally {
      for (const parent of unsynced) await ifThere(syncDirectory(parent));
    }
    unsynced = await makeDirectory(directory);
  }
}

/** Makes a directory, and those above it. */
export async function makeDirectoryDurably(path: string): Promise<void> {
  for (const parent of await makeDirectory(path)) await syncDirectory(parent);
}

/** Makes a directory; resolves to the directories with new entries, which are not synced yet. */
async function makeDirectory(path: string): Promise<string[]> {
  const parent = dirname(path);
  try {
    await mkdir(path);
    return [parent];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) || parent === path) throw error;
  }
  const parents = await makeDirectory(parent);
  await ifThere(mkdir(path));
  return [...parents, parent];
}

/** Ignores that another process has removed the file or directory. */
async function ifThere(done: Promise<void>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function mkdir(path: string): Promise<void> {
  try {
    await Deno.mkdir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Makes the entries of a directory durable, on systems where a directory can be opened. */
async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path);
  await directory.sync();
}
