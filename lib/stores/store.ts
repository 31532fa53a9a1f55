/**
 * The four operations that feedsync needs from a store, and what it expects of them.
 *
 * @module
 */
import { CorruptObjectError } from "../errors.ts";

/**
 * A listing may lack what was written less than this time before it. Stores promise better, but where one
 * look too few would lose something, there are two.
 */
export const MAX_LISTING_LAG_MS: number = 2000;

/**
 * No object has more bytes, neither as it is stored nor unpacked. The largest that is written holds one
 * update of 16 MiB; encryption adds a third to it.
 */
export const MAX_OBJECT_BYTES: number = 32 * 1024 * 1024;

/** The error for an object that is not read since it is too large to be one of ours. */
export function tooLarge(key: string): CorruptObjectError {
  return new CorruptObjectError(key, `it has more than ${MAX_OBJECT_BYTES} bytes`);
}

/** One object in a listing. */
export interface ObjectInfo {
  /** Key relative to the store's prefix, such as `tail/web-1_abcdefgh/0000000000000001.1.ijklmnop`. */
  readonly key: string;
  /** Bytes; 0 when the store does not tell. */
  readonly size: number;
  /**
   * When the object was last written, by the store's clock, in milliseconds since 1970; undefined when
   * the store does not tell.
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
   * Only keys that sort after this one are wanted; relative to the store's prefix. It spares pages where
   * keys are listed in their order. Elsewhere others may be left out, or all be listed: who has to know
   * all keys does not use it, and who does filters what comes.
   */
  readonly startAfter?: string;
}

/** What went wrong with one key of a {@linkcode ObjectStore.delete}. */
export interface FailedDelete {
  /** The key that is still there, as far as is known. */
  readonly key: string;
  /** Why. */
  readonly error: Error;
}

/** How many requests a store has sent, by kind: what users pay for. */
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
 * - **Visibility:** what was put or deleted is seen by every `get` and `list` that starts after the
 *   call resolved, from any machine. A listing that runs while keys change shows each unchanged key.
 * - **Absence:** `get` of a missing key resolves to `undefined`; deleting one succeeds; listing an
 *   empty prefix yields nothing. All that holds for a missing bucket, too; only `put` creates it, where
 *   that is allowed, and is refused elsewhere. Caches and replicas break the promise of visibility: one
 *   `undefined` proves nothing against a listing.
 * - **Errors:** `StoreUnavailableError` when trying again can help, `AccessDeniedError` when it
 *   cannot, `ConfigError` when the store is named or described wrongly, with the store, the
 *   operation and the cause in the message. None names a secret. `CorruptObjectError` when an object is
 *   larger than {@linkcode MAX_OBJECT_BYTES}; it is not read further then.
 * - **Keys:** parts with slashes between them, none empty, none beginning with a dot. Others, and
 *   prefixes that lead out of the store, are refused with a `TypeError`.
 * - **Order:** keys are listed in any order, and one may be listed twice.
 */
export interface ObjectStore extends AsyncDisposable {
  /** How users name it: `s3://bucket/prefix` or `file:path`. Holds no secrets. */
  readonly url: string;
  /** Which service has it, as `serviceName()` tells; absent where the URL says it all. */
  readonly service?: string;
  /**
   * Milliseconds to add to the local clock to get the store's, as last seen; 0 while they agree
   * within what a `Date` header can tell; `undefined` until the store has answered once.
   */
  readonly clockOffset: number | undefined;
  /** Requests sent since the store was opened. */
  readonly requests: Readonly<RequestCounts>;
  /**
   * Whether deletes were seen to leave the objects there as old versions, which listings do not show;
   * absent where there are no versions.
   */
  readonly keepsVersions?: boolean;
  /**
   * Tells that there were objects here before: where nothing is left of them, it is not the same store,
   * and cannot be used. Absent where a store cannot be mistaken for another one.
   */
  expectObjects?(): void;
  /**
   * Whether the last answer was that there is no bucket, and none was seen before; absent where there are
   * no buckets. That may pass: once is not enough to take it for an empty one.
   */
  readonly isMissing?: boolean;
  /** Writes the object at `key`, whole or not at all. */
  put(key: string, body: Uint8Array, options?: StoreOptions): Promise<void>;
  /** Reads the object at `key`; `undefined` when there is none. */
  get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined>;
  /** Lists the objects whose keys start with `prefix`, page after page as they are consumed. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>;
  /**
   * Deletes objects, in the order given and in batches where the store has them. Resolves to those
   * that failed; after the first failed batch nothing further is tried (the rest counts as failed).
   */
  delete(keys: readonly string[], options?: StoreOptions): Promise<FailedDelete[]>;
  /**
   * Calls `changed` soon after something was put under `prefix`, where the store can tell by
   * itself; absent where it cannot. A hint: it may come late, twice, or not at all.
   */
  watch?(prefix: string, changed: () => void): AsyncDisposable;
}
