/**
 * Tells from a few objects whether the servers of a bucket encrypt.
 *
 * @module
 */
import { AccessDeniedError, CorruptObjectError } from "../../errors.ts";
import { formatOf } from "../../stores/body_format.ts";
import type { ObjectInfo, ObjectStore, StoreOptions } from "../../stores/store.ts";
import { type ObjectName, parseKey } from "../names.ts";
import { NEWEST_PREFIX, parseNewestKey } from "../newest/names.ts";

/** So many keys are listed at most: a page. */
const MAX_LISTED = 1000;

/** So many objects are read at most, of the log and of `newest/`: a few may be strays. */
const MAX_READ = 4;

/** An object, and whether it is encrypted. */
export interface EncryptionSample {
  /** Its key. */
  readonly key: string;
  /** Whether it is, by its first bytes. */
  readonly isEncrypted: boolean;
}

/**
 * Reads the newest commits of a few streams or, without commits, a few objects in `newest/`. Resolves to an
 * encrypted one if there is any among them, otherwise to one that is not; undefined when nothing is there, or
 * may be read. Takes one or two LISTs, and a few GETs.
 */
export async function sampleEncryption(
  store: ObjectStore,
  options: StoreOptions,
): Promise<EncryptionSample | undefined> {
  return await firstEncrypted(store, await newestCommits(store, options), options) ??
    await firstEncrypted(store, await keptUpdates(store, options), options);
}

/** The newest commits of the streams that were written to last, the last one first. */
async function newestCommits(store: ObjectStore, options: StoreOptions): Promise<string[]> {
  const newest = new Map<string, ObjectName & ObjectInfo>();
  for (const object of await firstKeys(store, "tail/", options)) {
    const name = parseKey(object.key);
    if (name && name.last > (newest.get(name.stream)?.last ?? 0)) {
      newest.set(name.stream, { ...object, ...name });
    }
  }
  return [...newest.values()]
    .sort((a, b) => (b.lastModified ?? 0) - (a.lastModified ?? 0))
    .map(({ key }) => key);
}

async function keptUpdates(store: ObjectStore, options: StoreOptions): Promise<string[]> {
  const listed = await firstKeys(store, NEWEST_PREFIX, options);
  return listed.map(({ key }) => key).filter((key) => parseNewestKey(key));
}

async function firstKeys(
  store: ObjectStore,
  prefix: string,
  options: StoreOptions,
): Promise<ObjectInfo[]> {
  const objects: ObjectInfo[] = [];
  for await (const object of store.list(prefix, options)) {
    if (objects.push(object) === MAX_LISTED) break;
  }
  return objects;
}

async function firstEncrypted(
  store: ObjectStore,
  keys: readonly string[],
  options: StoreOptions,
): Promise<EncryptionSample | undefined> {
  let plain: EncryptionSample | undefined;
  for (const key of keys.slice(0, MAX_READ)) {
    const format = await readFormat(store, key, options);
    if (format === "jwe") return { key, isEncrypted: true };
    if (format !== undefined) plain ??= { key, isEncrypted: false };
  }
  return plain;
}

/** The format of an object; undefined when it is gone, is not feedsync's, or may not be read. */
async function readFormat(store: ObjectStore, key: string, options: StoreOptions) {
  try {
    const stored = await store.get(key, options);
    return stored && formatOf(stored);
  } catch (error) {
    if (error instanceof AccessDeniedError || error instanceof CorruptObjectError) return undefined;
    throw error;
  }
}
