/**
 * Everything feedsync throws that a caller may want to catch. Wrong arguments are the built-in
 * `TypeError` and `RangeError`.
 *
 * @module
 */

/** Base class of all errors of feedsync. */
export class FeedSyncError extends Error {
  /** Name of the class, stable: scripts depend on it. */
  override name = "FeedSyncError";
}

/** The store cannot be reached, or answers with failures that may pass: trying again can help. */
export class StoreUnavailableError extends FeedSyncError {
  /** Name of the class. */
  override name = "StoreUnavailableError";
  /**
   * How many updates are accepted and wait for their upload: in the state file, where they survive a
   * crash; or only in memory when there is none.
   */
  readonly queued: number;

  /** Makes the error; `queued` tells how many updates are accepted but not yet uploaded. */
  constructor(message: string, options: ErrorOptions & { queued?: number | undefined } = {}) {
    super(message, options);
    this.queued = options.queued ?? 0;
  }
}

/** The store refuses: wrong credentials, missing rights, a bucket that may not be created. */
export class AccessDeniedError extends FeedSyncError {
  /** Name of the class. */
  override name = "AccessDeniedError";
}

/** The configuration is wrong; the message names the key, its place and what is allowed. */
export class ConfigError extends FeedSyncError {
  /** Name of the class. */
  override name = "ConfigError";
}

/** The state file cannot be used: not a database, read-only, full disk, another server's … */
export class StateError extends FeedSyncError {
  /** Name of the class. */
  override name = "StateError";
}

/** An update that cannot be published: no valid URL, content that is not JSON, too large. */
export class InvalidUpdateError extends FeedSyncError {
  /** Name of the class. */
  override name = "InvalidUpdateError";
}

/** An object in the bucket that is not what its key says. It is reported and never applied. */
export class CorruptObjectError extends FeedSyncError {
  /** Name of the class. */
  override name = "CorruptObjectError";
  /** Key of the object, from the store's root. */
  readonly key: string;

  /** Makes the error for the object at `key`. */
  constructor(key: string, message: string, options?: ErrorOptions) {
    super(`Cannot read ${key}: ${message}`, options);
    this.key = key;
  }
}

/**
 * An object in the bucket is encrypted with a key that this server does not have. It is reported, and
 * waited for: what is in it is applied when the key is there.
 */
export class MissingKeyError extends FeedSyncError {
  /** Name of the class. */
  override name = "MissingKeyError";
  /** Key of the object, from the store's root. */
  readonly key: string;
  /** Id of the key that it is encrypted with, as the object says. */
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
 * An object in the bucket was written by a newer version, in a format that this one does not read. It is
 * reported, and waited for: what is in it is applied after an upgrade.
 */
export class UnsupportedFormatError extends FeedSyncError {
  /** Name of the class. */
  override name = "UnsupportedFormatError";
  /** Key of the object, from the store's root. */
  readonly key: string;
  /** The oldest reader that suffices, as the object says. */
  readonly reader: number;

  /** Makes the error for the object at `key`; `supported` is the reader that this version has. */
  constructor(key: string, reader: number, supported: number, options?: ErrorOptions) {
    super(
      `Cannot read ${key}: it needs a reader of format ${reader}, this version reads up to ` +
        `${supported}; upgrade feedsync on this server`,
      options,
    );
    this.key = key;
    this.reader = reader;
  }
}

/**
 * An object that listings of the bucket show, but of which the store says that there is none: a cache or
 * a replica lags behind. It is reported, and fetched again until it comes, or is not listed any more.
 */
export class MissingObjectError extends FeedSyncError {
  /** Name of the class. */
  override name = "MissingObjectError";
  /** Key of the object, from the store's root. */
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

/** What keeps an object from being read: it holds up its stream. */
export type UnreadableError =
  | CorruptObjectError
  | MissingKeyError
  | UnsupportedFormatError
  | MissingObjectError;

/** Whether that is what was thrown. */
export function isUnreadable(error: unknown): error is UnreadableError {
  return error instanceof CorruptObjectError || error instanceof MissingObjectError ||
    isLocked(error);
}

/** Whether only the operator can make it readable: it waits however long that takes, and is no gap. */
export function isLocked(error: unknown): error is MissingKeyError | UnsupportedFormatError {
  return error instanceof MissingKeyError || error instanceof UnsupportedFormatError;
}

/**
 * Thrown by a plugin to refuse an update for good: it becomes a dead letter at once, without
 * further attempts.
 */
export class RejectedUpdateError extends FeedSyncError {
  /** Name of the class. */
  override name = "RejectedUpdateError";
}

/**
 * Thrown by a plugin that cannot reach what it writes to: a service that is away or asks for fewer
 * requests, a full disk, a locked database. That is no fault of the update: reading waits, and the
 * update is tried again until it is applied. One that has held up reading for an hour makes room for the
 * next, and is tried again by itself. Thrown by `setup` it has that tried again.
 */
export class BackendUnavailableError extends FeedSyncError {
  /** Name of the class. */
  override name = "BackendUnavailableError";
  /** Milliseconds to wait before the next attempt, when the backend says so, as with `Retry-After`. */
  readonly retryAfterMs: number | undefined;

  /** Makes the error; `retryAfterMs` is how long the backend asks to be left alone. */
  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * Something was used that is closed: the connection, a watcher, or a watcher of files. What was under
 * way when it was closed ends with this error, too.
 */
export class ClosedError extends FeedSyncError {
  /** Name of the class. */
  override name = "ClosedError";
}

/**
 * The connection was closed while updates that only memory holds were not in the bucket yet: they are
 * lost. This never happens with a state file.
 */
export class UpdatesLostError extends FeedSyncError {
  /** Name of the class. */
  override name = "UpdatesLostError";
  /** How many updates are lost. */
  readonly lost: number;

  /** Makes the error; `lost` tells how many updates are lost. */
  constructor(message: string, options: ErrorOptions & { lost: number }) {
    super(message, options);
    this.lost = options.lost;
  }
}

/** Errors of feedsync, also those of another copy of the package: a plugin may import its own. */
const BRANDED = {
  FeedSyncError,
  StoreUnavailableError,
  AccessDeniedError,
  ConfigError,
  StateError,
  InvalidUpdateError,
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

/** Has `instanceof` go by a mark that all copies of the package share, in place of the prototype. */
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
 * The message of anything thrown, whose getters may throw as well.
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
