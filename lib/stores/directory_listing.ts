/**
 * The files of a directory, listed like the keys of a bucket.
 *
 * @module
 */
import { join } from "node:path";
import { directoryOf } from "./object_key.ts";
import type { ObjectInfo } from "./store.ts";

/** So many files are looked at at once. */
const PARALLEL = 128;

/** Which files are listed. */
interface Selection {
  readonly root: string;
  readonly prefix: string;
  readonly startAfter: string;
}

/**
 * Lists the files whose paths below `root` start with `prefix` and sort after `startAfter`, in the
 * order of their whole paths. What begins with a dot is left out, as is all but regular files; what
 * vanishes meanwhile is no error.
 */
export function listFiles(
  root: string,
  prefix: string,
  startAfter: string,
): AsyncGenerator<ObjectInfo> {
  return listBelow(directoryOf(prefix), { root, prefix, startAfter });
}

async function* listBelow(directory: string, selection: Selection): AsyncGenerator<ObjectInfo> {
  const keys = await readKeys(directory, selection);
  let files: string[] = [];
  for (const key of keys) {
    if (!key.endsWith("/")) files.push(key);
    if (key.endsWith("/") || files.length === PARALLEL) {
      yield* await describe(files, selection.root);
      files = [];
    }
    if (key.endsWith("/")) yield* listBelow(key, selection);
  }
  yield* await describe(files, selection.root);
}

/** Sorted; a directory ends with a slash and so stands where the keys below it belong. */
async function readKeys(directory: string, selection: Selection): Promise<string[]> {
  const keys: string[] = [];
  try {
    for await (const entry of Deno.readDir(join(selection.root, directory))) {
      if (entry.name.startsWith(".") || !(entry.isFile || entry.isDirectory)) continue;
      const key = `${directory}${entry.name}${entry.isDirectory ? "/" : ""}`;
      if (isSelected(key, selection)) keys.push(key);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return keys.sort();
}

function isSelected(key: string, { prefix, startAfter }: Selection): boolean {
  if (!key.startsWith(prefix)) return false;
  return key > startAfter || (key.endsWith("/") && startAfter.startsWith(key));
}

async function describe(keys: readonly string[], root: string): Promise<ObjectInfo[]> {
  const found = await Promise.all(keys.map((key) => stat(key, root)));
  return found.filter((object) => object !== undefined);
}

async function stat(key: string, root: string): Promise<ObjectInfo | undefined> {
  try {
    const { size, mtime } = await Deno.lstat(join(root, key));
    return { key, size, lastModified: mtime?.getTime() };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
