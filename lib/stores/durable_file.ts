/**
 * Files and directories that are still there after a power failure.
 *
 * @module
 */
import { dirname } from "node:path";

/**
 * Writes a new file and returns when it was written, in milliseconds since 1970, by the clock of
 * the file system. It has `mode` from the moment on at which it is made.
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

/** Renames a file, replacing what has the new name; a directory for it is made when it is missing. */
export async function renameDurably(from: string, to: string): Promise<void> {
  const directory = dirname(to);
  await inDirectory(directory, () => Deno.rename(from, to));
  await syncDirectory(directory);
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

/** Does `action` in a directory, which is made when that fails because it is missing. */
export async function inDirectory<T>(directory: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await makeDirectory(directory);
  return await action();
}

async function makeDirectory(path: string): Promise<void> {
  const parent = dirname(path);
  try {
    await mkdir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) || parent === path) throw error;
    await makeDirectory(parent);
    await mkdir(path);
  }
  await syncDirectory(parent);
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
