/**
 * The interface of a store: the four operations that feedsync needs, and what it expects of them.
 *
 * @module
 */
import { CorruptObjectError } from "../errors.ts";

/**
 * Maximum lag of listings: they may lack objects written less than this time before. Stores promise
 * better, but where a missed object would lose updates, feedsync lists again after this time.
 */
export const MAX_LISTING_LAG_MS: number = 2000;

/**
 * Maximum size of an object, both as stored and decompressed. The largest that is written holds one
 * update of 16 MiB; encryption adds a third.
 */
export const MAX_OBJECT_BYTES: number = 32 * 1024 * 1024;

/** The error for an object that is too large to be feedsync's and therefore not read. */
export function tooLarge(key: string): CorruptObjectError {
  return new CorruptObjectError(key, `it has more than ${MAX_OBJECT_BYTES} bytes`);
}

/** One object in a listing. */
export interface ObjectInfo {
  /**
   * Key relative to the store's prefix, such as `tail/web-1_abcdefgh/0000000000000001.1.ijklmnop`.
   */
  readonly key: string;
  /** Size in bytes; 0 when the store does not report it. */
  readonly size: number;
  /**
   * When the object was last written, by the store's clock, in milliseconds since 1970; undefined
   * when the store does not report it.
   */
  readonly lastModified: number | undefined;
}

/** Options of every operation. */
export interface StoreOptions {
  /** Ends the operation early; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode ObjectStore.list}. */
export interface ListOptions extends StoreOptions {
  /**
   * Asks for keys that sort after this one, relative to the store's prefix. This saves pages if the
   * store lists keys in order. Other stores may leave out further keys, or list all: do not use it
   * if every key matters, and filter the result.
   */
  readonly startAfter?: string;
}

/** A key that {@linkcode ObjectStore.delete} could not delete. */
export interface FailedDelete {
  /** The key, which may still exist. */
  readonly key: string;
  /** Why it could not be deleted. */
  readonly error: Error;
}

/** Number of requests that a store has sent, by kind: users pay for them. */
export interface RequestCounts {
  /** Writes. */
  put: number;
  /** Reads. */
  get: number;
  /** Pages of listings. */
  list: number;
  /** Deletes (free with most providers); a batch counts once. */
  delete: number;
}

/**
 * A store of immutable objects.
 *
 * - **Durability:** when `put` resolves, the object survives whatever the store promises to survive
 *   (for a directory: a crash of the machine). When `put` rejects, the outcome is unknown: the
 *   object may be there, or appear up to a minute later. It is never there in part.
 * - **Visibility:** once a `put` or `delete` has resolved, every `get` and `list` that starts later,
 *   on any machine, sees its effect. A listing that runs while keys change shows each unchanged key.
 * - **Absence:** `get` of a missing key resolves to `undefined`; deleting one succeeds; listing an
 *   empty prefix yields nothing. Caches and replicas may break the promise of visibility: a single
 *   `undefined` does not disprove a listing. A missing bucket is an error of every operation but
 *   `create`, unless a service answers a `get` as if only the object were missing: a
 *   `ConfigError`, since its name may be mistyped; once it was seen, a `StoreUnavailableError`.
 * - **Errors:** `StoreUnavailableError` when a retry can help, `AccessDeniedError` when it cannot,
 *   `ConfigError` when the store is named or configured wrongly. The message names the store, the
 *   operation and the cause, but never a secret. `CorruptObjectError` when an object is larger than
 *   {@linkcode MAX_OBJECT_BYTES}, which is not read.
 * - **Keys:** parts separated by slashes; no part is empty or begins with a dot. Other keys, and
 *   prefixes that lead out of the store, are refused with a `TypeError`.
 * - **Order:** keys are listed in any order, and one may be listed twice.
 */
export interface ObjectStore extends AsyncDisposable {
  /** URL of the store: `s3://bucket/prefix` or `file:path`. Holds no secrets. */
  readonly url: string;
  /** The service that has it, see `serviceName()`; absent when the URL identifies the store. */
  readonly service?: string;
  /**
   * Milliseconds to add to the local clock to get the store's time, as last seen; 0 while the
   * clocks agree within the resolution of a `Date` header; `undefined` until the store has answered
   * once.
   */
  readonly clockOffset: number | undefined;
  /** Requests sent since the store was opened. */
  readonly requests: Readonly<RequestCounts>;
  /**
   * Whether deleted objects stay in the store as old versions, which listings do not show; absent
   * if the store has no versions.
   */
  readonly keepsVersions?: boolean;
  /**
   * Promises that listings never lag, not even where somebody has put caches or replicas in front: then nothing
   * is listed again after {@linkcode MAX_LISTING_LAG_MS} just because it may have been missing. Absent if
   * nobody can promise that.
   */
  readonly listsAtOnce?: boolean;
  /**
   * Declares that the store held objects before: its name is right, and if it is gone, it may come
   * back. A directory that is empty now is not the same store, and must not be used.
   */
  expectObjects?(): void;
  /**
   * Makes the bucket or the directory, unless it is there; resolves to whether it did. Absent if
   * there is nothing to make.
   */
  create?(options?: StoreOptions): Promise<boolean>;
  /** Writes the object at `key`, whole or not at all. */
  put(key: string, body: Uint8Array, options?: StoreOptions): Promise<void>;
  /** Reads the object at `key`; `undefined` when there is none. */
  get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined>;
  /** Lists the objects whose keys start with `prefix`, page by page as they are consumed. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>;
  /**
   * Deletes objects in the order given, in batches if the store supports them. Resolves to the keys
   * that failed; after the first failed batch the remaining keys are not tried and count as failed.
   */
  delete(keys: readonly string[], options?: StoreOptions): Promise<FailedDelete[]>;
  /**
   * Calls `changed` soon after an object was put under `prefix`; absent if the store cannot notify.
   * This is a hint: it may come late, twice, or not at all.
   */
  watch?(prefix: string, changed: () => void): AsyncDisposable;
}
