/**
 * The files of a directory, listed like the keys of a bucket.
 *
 * @module
 */
import { join } from "node:path";
import { directoryOf } from "../object_key.ts";
import type { ObjectInfo } from "../store.ts";

/** So many files and directories are looked at at once, and in each of these so many files. */
const PARALLEL = 128, FEW = 16;

/** Which files are listed. */
export interface Selection {
  /** Path of the directory. */
  readonly root: string;
  /** With what their paths below it start. @default {""} */
  readonly prefix?: string;
  /** After what they sort. @default {""} */
  readonly startAfter?: string;
  /** Told of directories, by their paths below `root`, that have nothing in them. */
  readonly onEmpty?: (directory: string) => Promise<void>;
}

/**
 * Lists the files whose paths below `root` start with `prefix` and sort after `startAfter`, in the
 * order of their whole paths. What begins with a dot is left out, as is all but regular files; what
 * vanishes meanwhile is no error, and may be listed.
 */
export async function* listFiles(selection: Selection): AsyncGenerator<ObjectInfo> {
  yield* listAll(await readKeys(directoryOf(selection.prefix ?? ""), selection), selection);
}

async function* listAll(
  keys: readonly string[],
  selection: Selection,
): AsyncGenerator<ObjectInfo> {
  for (let start = 0; start < keys.length; start += PARALLEL) {
    const looked = keys.slice(start, start + PARALLEL).map((key) => look(key, selection));
    for (const { files, more } of await Promise.all(looked)) {
      yield* files;
      yield* listAll(more, selection);
    }
  }
}

/** A file, or what is in a directory: at once if these are a few files, as in most directories. */
async function look(
  key: string,
  selection: Selection,
): Promise<{ readonly files: readonly ObjectInfo[]; readonly more: readonly string[] }> {
  const keys = key.endsWith("/") ? await readKeys(key, selection) : [key];
  const isFew = keys.length <= FEW && !keys.some((key) => key.endsWith("/"));
  return isFew
    ? { files: await describe(keys, selection.root), more: [] }
    : { files: [], more: keys };
}

/** Sorted; a directory ends with a slash and so stands where the keys below it belong. */
async function readKeys(directory: string, selection: Selection): Promise<string[]> {
  const keys: string[] = [];
  let isEmpty = true;
  try {
    for await (const entry of Deno.readDir(join(selection.root, directory))) {
      isEmpty = false;
      if (entry.name.startsWith(".") || !(entry.isFile || entry.isDirectory)) continue;
      const key = `${directory}${entry.name}${entry.isDirectory ? "/" : ""}`;
      if (isSelected(key, selection)) keys.push(key);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  if (isEmpty) await selection.onEmpty?.(directory.slice(0, -1));
  return keys.sort();
}

function isSelected(key: string, { prefix = "", startAfter = "" }: Selection): boolean {
  if (!key.startsWith(prefix)) return false;
  return key > startAfter || (key.endsWith("/") && startAfter.startsWith(key));
}

function describe(keys: readonly string[], root: string): Promise<ObjectInfo[]> {
  return Promise.all(keys.map((key) => stat(key, root)));
}

async function stat(key: string, root: string): Promise<ObjectInfo> {
  try {
    const { size, mtime } = await Deno.lstat(join(root, key));
    return { key, size, lastModified: mtime?.getTime() };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // On a network a look at a file may miss what its directory shows.
    return { key, size: 0, lastModified: undefined };
  }
}
