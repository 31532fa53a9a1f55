/**
 * Deletes expired objects from the bucket.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Environment } from "../base/environment.ts";
import { OnceLog } from "../base/once_log.ts";
import type { BucketListing, BucketLog, DatedName } from "../log/bucket_log.ts";
import type { LockedStream } from "../state/cursors.ts";
import type { StoreOptions } from "../stores/store.ts";
import { expiredObjects, LOCKED_LIVES } from "./expiry.ts";

const logger = getLogger(["feedsync", "cleanup"]);

/**
 * Maximum number of keys in one message, and number of unread objects after which no more are
 * logged.
 */
const MAX_LOGGED_KEYS = 10, MAX_LOGGED_UNREAD = 100;

/** The result of a cleanup, or of a dry run. */
export interface CleanupReport {
  /** Number of objects deleted; with `dryRun`, that would be deleted. */
  readonly deleted: number;
  /** Total size of the deleted objects in bytes. */
  readonly bytes: number;
  /**
   * Number of deleted objects that this server never read, since it lacks a key or is too old for a
   * format. Such objects, and everything after them in their stream, are kept until they are ten
   * times `maxAge` old. Their updates are lost to this server.
   */
  readonly deletedUnread: number;
  /** Number of objects kept. */
  readonly kept: number;
  /** Number of objects that could not be deleted; a later cleanup tries again. */
  readonly failed: number;
  /** Why the first object could not be deleted; absent when all were deleted. */
  readonly error?: Error;
  /** Number of kept objects whose age the store does not report. */
  readonly undated: number;
  /** Number of objects that are not feedsync's; they are ignored. */
  readonly foreign: number;
  /** Keys of the objects that were deleted, or would be. */
  readonly keys: readonly string[];
}

/** Makes a log of problems with the store; repeated cleanups share one. */
export function problemsOf({ clock }: Pick<Environment, "clock">): OnceLog {
  return new OnceLog(logger, clock);
}

/** Deletes objects older than `maxAge` milliseconds, see {@linkcode expiredObjects}. */
export async function cleanUp(
  log: BucketLog,
  { maxAge, locked = () => undefined, dryRun = false, problems, signal }: {
    readonly problems: OnceLog;
    readonly maxAge: number;
    /**
     * Whether this server waits for a key or an upgrade to read on in a stream. @default it never
     * does
     */
    readonly locked?: (stream: string) => LockedStream | undefined;
    readonly dryRun?: boolean;
    readonly signal?: AbortSignal;
  },
): Promise<CleanupReport> {
  const { streams, foreign } = await log.listAll({ signal });
  const objects = [...streams.values()].flat();
  const undated = objects.filter(({ lastModified }) => lastModified === undefined).length;
  if (undated > 0) {
    const properties = { undated, store: log.url };
    problems.problem("undated", { text: UNDATED, properties, kind: "undated" });
  }
  const now = timeOf(log, objects);
  const gone = await deleteExpired(log, streams, { now, maxAge, locked, dryRun, signal });
  if (log.keepsVersions) {
    problems.problem("versions", { text: KEEPS_VERSIONS, properties: { store: log.url } });
  }
  const { deleted, unread, failed, error } = gone;
  return {
    deleted: deleted.length,
    bytes: deleted.reduce((sum, { size }) => sum + size, 0),
    deletedUnread: unread,
    kept: objects.length - deleted.length - failed,
    failed,
    ...error && { error },
    undated,
    foreign,
    keys: deleted.map(({ key }) => key),
  };
}

/** Options of a deletion. */
interface DeletionOptions extends StoreOptions {
  /** The store's time. */
  readonly now: number;
  /** Age from which objects expire, in milliseconds. */
  readonly maxAge: number;
  /** See {@linkcode cleanUp}. */
  readonly locked: (stream: string) => LockedStream | undefined;
  /** Whether to delete nothing. */
  readonly dryRun: boolean;
}

/**
 * The result of a deletion; `unread` counts deleted objects that this server was waiting to read.
 */
interface Deletion {
  readonly deleted: DatedName[];
  unread: number;
  failed: number;
  error?: Error | undefined;
}

/** Deletes expired objects, stream by stream. */
async function deleteExpired(
  log: BucketLog,
  streams: BucketListing["streams"],
  { now, maxAge, locked, dryRun, signal }: DeletionOptions,
): Promise<Deletion> {
  const result: Deletion = { deleted: [], unread: 0, failed: 0 };
  for (const [stream, objects] of streams) {
    const waiting = locked(stream); // As late as possible, since it may be read meanwhile.
    const expired = expiredObjects(objects, { now, maxAge, lockedAfter: waiting?.after });
    if (expired.length === 0) continue;
    const failures = dryRun ? [] : await log.delete(expired.map(({ key }) => key), { signal });
    const failed = new Set(failures.map(({ key }) => key));
    const deleted = expired.filter(({ key }) => !failed.has(key));
    const unread = waiting ? deleted.filter(({ last }) => last > waiting.after) : [];
    if (waiting && unread.length > 0 && !dryRun && result.unread < MAX_LOGGED_UNREAD) {
      logUnread(stream, unread, waiting);
    }
    result.error ??= failures[0]?.error;
    result.failed += failed.size;
    result.unread += unread.length;
    // No spread: there may be too many for the arguments of one call.
    for (const object of deleted) result.deleted.push(object);
  }
  return result;
}

/** Logs objects that were deleted before this server got the key or upgrade to read them. */
function logUnread(
  stream: string,
  unread: readonly DatedName[],
  { reason }: LockedStream,
): void {
  const keys = unread.slice(0, MAX_LOGGED_KEYS).map(({ key }) => key).join(", ");
  const more = unread.length - MAX_LOGGED_KEYS;
  logger.error(
    "Deleted {count} objects of {stream} that this server was never able to read, after keeping " +
      "them {lives} times as long as others: {keys}: {reason}",
    {
      count: unread.length,
      stream,
      lives: LOCKED_LIVES,
      keys: more > 0 ? `${keys} and ${more} more` : keys,
      reason,
    },
  );
}

const UNDATED =
  "Cannot clean up {undated} objects in {store} and everything after them: its listings do not " +
  "show when they were written (LastModified); let a lifecycle rule of the store delete old " +
  "objects";

const KEEPS_VERSIONS =
  "{store} keeps deleted objects as old versions, which take space and may cost money; give its " +
  "bucket a lifecycle rule that removes them, see 'Buckets that keep versions' in docs/stores.md";

/**
 * The store's time, stricter than {@linkcode BucketLog.now}. If the store has not sent its time
 * (`Date`), neither the local clock nor a remembered offset is trusted, since a wrong time would
 * delete objects. Instead the newest object counts as written just now.
 */
function timeOf(log: BucketLog, objects: readonly DatedName[]): number {
  if (log.clockOffset !== undefined) return log.now();
  return objects.reduce((latest, { lastModified = 0 }) => Math.max(latest, lastModified), 0);
}
