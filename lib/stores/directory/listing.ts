/**
 * Lists the files of a directory like the keys of a bucket.
 *
 * @module
 */
import { join } from "node:path";
import { directoryOf } from "../object_key.ts";
import type { ObjectInfo } from "../store.ts";

/**
 * Number of files and directories read in parallel, and of files per directory that are read with
 * it.
 */
const PARALLEL = 128, FEW = 16;

/** Options of {@linkcode listFiles}. */
export interface Selection {
  /** Path of the directory. */
  readonly root: string;
  /** Only paths with this prefix, relative to `root`. @default {""} */
  readonly prefix?: string;
  /** Only paths that sort after this one. @default {""} */
  readonly startAfter?: string;
  /** Called for each empty directory, with its path below `root`. */
  readonly onEmpty?: (directory: string) => Promise<void>;
}

/**
 * Lists the files whose paths below `root` start with `prefix` and sort after `startAfter`, in the
 * order of their whole paths. Only regular files are listed, without those whose names begin with a
 * dot. A file that vanishes meanwhile is not an error, and may be listed.
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

/** Reads a file or directory; the files of a small directory, as most are, at once. */
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

/**
 * The sorted keys in a directory. A directory ends with a slash, so it sorts like the keys below
 * it.
 */
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
    // On a network file system a file may be listed but not found yet.
    return { key, size: 0, lastModified: undefined };
  }
}
