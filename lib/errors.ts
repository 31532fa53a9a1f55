/**
 * The errors of feedsync that a caller may want to catch. Wrong arguments throw the built-in
 * `TypeError` or `RangeError`.
 *
 * @module
 */

/** Base class of all errors of feedsync. */
export class FeedSyncError extends Error {
  /** Name of the error; stable, since scripts depend on it. */
  override name = "FeedSyncError";
}

/** The store cannot be reached, or fails in a way that may pass: a retry can help. */
export class StoreUnavailableError extends FeedSyncError {
  /** Name of the error. */
  override name = "StoreUnavailableError";
  /**
   * Number of accepted updates that wait for their upload: in the state file, where they survive a
   * crash, or only in memory without a state file.
   */
  readonly queued: number;

  /** Makes the error; `queued` is the number of accepted updates that are not uploaded yet. */
  constructor(message: string, options: ErrorOptions & { queued?: number | undefined } = {}) {
    super(message, options);
    this.queued = options.queued ?? 0;
  }
}

/**
 * The store denies access: wrong credentials, missing rights, or a bucket that must not be created.
 */
export class AccessDeniedError extends FeedSyncError {
  /** Name of the error. */
  override name = "AccessDeniedError";
}

/** The configuration is wrong; the message names the key, its place and what is allowed. */
export class ConfigError extends FeedSyncError {
  /** Name of the error. */
  override name = "ConfigError";
}

/** The state file cannot be used: not a database, read-only, full disk, another server's … */
export class StateError extends FeedSyncError {
  /** Name of the error. */
  override name = "StateError";
}

/** An update cannot be published: invalid URL, content that is not JSON, or too large. */
export class InvalidUpdateError extends FeedSyncError {
  /** Name of the error. */
  override name = "InvalidUpdateError";
}

/** The `id` that a publisher gave an update was given to another update within the last day. */
export class UpdateConflictError extends FeedSyncError {
  /** Name of the error. */
  override name = "UpdateConflictError";
}

/** An object in the bucket does not match its key. It is reported and never applied. */
export class CorruptObjectError extends FeedSyncError {
  /** Name of the error. */
  override name = "CorruptObjectError";
  /** Key of the object, relative to the store's root. */
  readonly key: string;

  /** Makes the error for the object at `key`. */
  constructor(key: string, message: string, options?: ErrorOptions) {
    super(`Cannot read ${key}: ${message}`, options);
    this.key = key;
  }
}

/**
 * An object in the bucket is encrypted with a key that this server does not have. It is reported,
 * and its updates are applied once the server has the key.
 */
export class MissingKeyError extends FeedSyncError {
  /** Name of the error. */
  override name = "MissingKeyError";
  /** Key of the object, relative to the store's root. */
  readonly key: string;
  /** Id of the encryption key, as the object names it. */
  readonly kid: string;

  /** Makes the error for the object at `key`. */
  constructor(key: string, kid: string, message: string, options?: ErrorOptions) {
    const shown = JSON.stringify(kid.slice(0, 128));
    super(`Cannot read ${key}: it is encrypted with the key ${shown}, and ${message}`, options);
    this.key = key;
    this.kid = kid;
  }
}

/**
 * An object in the bucket was written by a newer version, in a format that this version cannot
 * read. It is reported, and its updates are applied after an upgrade.
 */
export class UnsupportedFormatError extends FeedSyncError {
  /** Name of the error. */
  override name = "UnsupportedFormatError";
  /** Key of the object, relative to the store's root. */
  readonly key: string;
  /** The oldest reader that can read it, as the object names it. */
  readonly reader: number;

  /** Makes the error for the object at `key`; `supported` is the reader of this version. */
  constructor(key: string, reader: number, supported: number, options?: ErrorOptions) {
    super(
      `Cannot read ${key}: it needs a reader of format ${reader}, but this version reads up to ` +
        `${supported}; upgrade feedsync on this server`,
      options,
    );
    this.key = key;
    this.reader = reader;
  }
}

/**
 * An object appears in listings of the bucket, but the store does not find it, since a cache or
 * replica lags. It is reported, and fetched again until it is found or no longer listed.
 */
export class MissingObjectError extends FeedSyncError {
  /** Name of the error. */
  override name = "MissingObjectError";
  /** Key of the object, relative to the store's root. */
  readonly key: string;

  /** Makes the error for the object at `key`. */
  constructor(key: string, options?: ErrorOptions) {
    super(
      `Cannot read ${key}: listings show it, but the store says that there is no such object`,
      options,
    );
    this.key = key;
  }
}

/** An error that prevents reading an object, which then holds up its stream. */
export type UnreadableError =
  | CorruptObjectError
  | MissingKeyError
  | UnsupportedFormatError
  | MissingObjectError;

/** Whether the error prevents reading an object. */
export function isUnreadable(error: unknown): error is UnreadableError {
  return error instanceof CorruptObjectError || error instanceof MissingObjectError ||
    isLocked(error);
}

/**
 * Whether only the operator can make the object readable: it waits without limit, and is not a gap.
 */
export function isLocked(error: unknown): error is MissingKeyError | UnsupportedFormatError {
  return error instanceof MissingKeyError || error instanceof UnsupportedFormatError;
}

/**
 * Thrown by a plugin to refuse an update permanently: it becomes a dead letter at once, without
 * further attempts.
 */
export class RejectedUpdateError extends FeedSyncError {
  /** Name of the error. */
  override name = "RejectedUpdateError";
}

/**
 * Thrown by a plugin that cannot reach its backend: a service that is away or asks for fewer
 * requests, a full disk, a locked database. The update is not the cause: reading waits, and the
 * update is retried until it is applied. An update that has held up reading for an hour is set
 * aside as a dead letter and retried automatically. When `setup` throws it, `setup` is retried.
 */
export class BackendUnavailableError extends FeedSyncError {
  /** Name of the error. */
  override name = "BackendUnavailableError";
  /**
   * Milliseconds to wait before the next attempt, if the backend asks for it, as with
   * `Retry-After`.
   */
  readonly retryAfterMs: number | undefined;

  /** Makes the error; `retryAfterMs` is the wait that the backend asks for. */
  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * A closed connection, watcher or watcher of files was used. Calls that were in progress when it
 * was closed reject with this error, too.
 */
export class ClosedError extends FeedSyncError {
  /** Name of the error. */
  override name = "ClosedError";
}

/**
 * The connection was closed while updates existed only in memory and not yet in the bucket: they
 * are lost. This never happens with a state file.
 */
export class UpdatesLostError extends FeedSyncError {
  /** Name of the error. */
  override name = "UpdatesLostError";
  /** Number of lost updates. */
  readonly lost: number;

  /** Makes the error; `lost` is the number of lost updates. */
  constructor(message: string, options: ErrorOptions & { lost: number }) {
    super(message, options);
    this.lost = options.lost;
  }
}

/** Errors recognized across copies of the package: a plugin may import its own copy. */
const BRANDED = {
  FeedSyncError,
  StoreUnavailableError,
  AccessDeniedError,
  ConfigError,
  StateError,
  InvalidUpdateError,
  UpdateConflictError,
  CorruptObjectError,
  MissingKeyError,
  UnsupportedFormatError,
  MissingObjectError,
  RejectedUpdateError,
  BackendUnavailableError,
  ClosedError,
  UpdatesLostError,
};

for (const [name, kind] of Object.entries(BRANDED)) brand(kind, Symbol.for(`feedsync.${name}`));

/**
 * Makes `instanceof` check a mark that all copies of the package share, instead of the prototype.
 */
function brand(kind: typeof BRANDED[keyof typeof BRANDED], mark: symbol): void {
  Object.defineProperty(kind.prototype, mark, { value: true });
  Object.defineProperty(kind, Symbol.hasInstance, {
    value(this: unknown, thrown: unknown): boolean {
      // Classes that extend this one inherit the method, not the mark.
      if (this !== kind) return Function.prototype[Symbol.hasInstance].call(this, thrown);
      return typeof thrown === "object" && thrown !== null && mark in thrown;
    },
  });
}

/**
 * Returns the message of any thrown value, even if its getters throw.
 *
 * @example
 * ```ts
 * import { messageOf } from "@feedsync/feedsync/plugin";
 * import assert from "node:assert/strict";
 *
 * assert.equal(messageOf(new Error("disk full")), "disk full");
 * ```
 */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof Error) return String(error.message);
    return typeof error === "string" ? error : Deno.inspect(error);
  } catch {
    return "the error has no readable message";
  }
}
