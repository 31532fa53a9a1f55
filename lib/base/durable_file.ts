/**
 * Files and directories that are still there after a power failure.
 *
 * @module
 */
import { dirname } from "node:path";

/**
 * Writes a new file and returns when it was written, in milliseconds since 1970, by the clock of
 * the file system. It has `mode` from the moment on at which it is made.
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
 * Renames a file, replacing what has the new name; a directory for it is made when it is missing.
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
  await ifThere(syncDirectory(directory)); // Whoever deleted the file may have removed it, too.
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
 * So often a directory is made for a file. It may be removed again before the file is in it: whoever
 * deletes the last file in a directory of a store removes that, too.
 */
const MOST_ATTEMPTS = 10;

/** Does `action` in a directory, which is made when that fails because it is missing. */
export async function inDirectory<T>(directory: string, action: () => Promise<T>): Promise<T> {
  let unsynced: readonly string[] = [];
  for (let attempt = 1;; attempt++) {
    try {
      return await action(); // At once: as long as the directory is empty, it may be removed.
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) || attempt === MOST_ATTEMPTS) throw error;
    } finally {
      for (const parent of unsynced) await ifThere(syncDirectory(parent));
    }
    unsynced = await makeDirectory(directory);
  }
}

/** Makes a directory; resolves to those in which names are new, and not durable yet. */
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

/** Waits for something that is in vain once another process has removed what it is done with. */
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

/** Makes the names in a directory durable, on systems where a directory can be opened. */
async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path);
  await directory.sync();
}
