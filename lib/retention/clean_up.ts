/**
 * Deleting what is too old from the bucket.
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

/** So many keys are named in a message on a stream; and so many objects logged in all, or a few more. */
const MAX_KEYS_TOLD = 10, MAX_UNREAD_TOLD = 100;

/** What a cleanup did, or would do. */
export interface CleanupReport {
  /** Objects deleted; with `dryRun` those that would be. */
  readonly deleted: number;
  /** Their bytes. */
  readonly bytes: number;
  /**
   * Objects among the deleted that this server never read, since it lacks a key, or is too old for a
   * format: these, and what comes after them in their stream, are kept until they are ten times `maxAge`
   * old. What is in them is lost here.
   */
  readonly deletedUnread: number;
  /** Objects kept. */
  readonly kept: number;
  /** Objects that could not be deleted; a later cleanup tries again. */
  readonly failed: number;
  /** Why the first of them could not be deleted; absent when there are none. */
  readonly error?: Error;
  /** Objects among those kept of which the store does not tell how old they are. */
  readonly undated: number;
  /** Objects in `tail/` and `segments/` that are not feedsync's; left alone. */
  readonly foreign: number;
  /** Keys of what was deleted, or would be. */
  readonly keys: readonly string[];
}

/** Where a cleanup, or several in succession, report what is wrong with their store. */
export function problemsOf({ clock }: Pick<Environment, "clock">): OnceLog {
  return new OnceLog(logger, clock);
}

/** Deletes what is older than `maxAge` milliseconds, see {@linkcode expiredObjects}. */
export async function cleanUp(
  log: BucketLog,
  { maxAge, locked = () => undefined, dryRun = false, problems, signal }: {
    readonly problems: OnceLog;
    readonly maxAge: number;
    /** Whether this server waits for a key or an upgrade to read on in a stream. @default it never does */
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

/** What a cleanup goes by. */
interface DeletionOptions extends StoreOptions {
  /** The store's time. */
  readonly now: number;
  /** How old objects become, in milliseconds. */
  readonly maxAge: number;
  /** See {@linkcode cleanUp}. */
  readonly locked: (stream: string) => LockedStream | undefined;
  /** Delete nothing. */
  readonly dryRun: boolean;
}

/** What came of it; `unread` counts those among the deleted that this server waited for. */
interface Deletion {
  readonly deleted: DatedName[];
  unread: number;
  failed: number;
  error?: Error | undefined;
}

/** Deletes what is too old, stream by stream. */
async function deleteExpired(
  log: BucketLog,
  streams: BucketListing["streams"],
  { now, maxAge, locked, dryRun, signal }: DeletionOptions,
): Promise<Deletion> {
  const result: Deletion = { deleted: [], unread: 0, failed: 0 };
  for (const [stream, objects] of streams) {
    const waiting = locked(stream); // As late as possible: it may be read meanwhile.
    const expired = expiredObjects(objects, { now, maxAge, lockedAfter: waiting?.after });
    if (expired.length === 0) continue;
    const failures = dryRun ? [] : await log.delete(expired.map(({ key }) => key), { signal });
    const failed = new Set(failures.map(({ key }) => key));
    const deleted = expired.filter(({ key }) => !failed.has(key));
    const unread = waiting ? deleted.filter(({ last }) => last > waiting.after) : [];
    if (waiting && unread.length > 0 && !dryRun && result.unread < MAX_UNREAD_TOLD) {
      tellUnread(stream, unread, waiting);
    }
    result.error ??= failures[0]?.error;
    result.failed += failed.size;
    result.unread += unread.length;
    for (const object of deleted) result.deleted.push(object); // More than a call takes arguments.
  }
  return result;
}

/** What only the operator could have had read is lost. */
function tellUnread(
  stream: string,
  unread: readonly DatedName[],
  { reason }: LockedStream,
): void {
  const keys = unread.slice(0, MAX_KEYS_TOLD).map(({ key }) => key).join(", ");
  const more = unread.length - MAX_KEYS_TOLD;
  logger.error(
    "Deleted {count} objects of {stream} that this server was never able to read, as they were kept " +
      "{lives} times as long as others: {keys}: {reason}",
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
  "Cannot clean up {undated} objects in {store} and what comes after them, as its listings do not " +
  "tell when they were written (LastModified); let a lifecycle rule of the store delete old objects";

const KEEPS_VERSIONS =
  "{store} keeps what is deleted as old versions, which take space and may cost; give its bucket a " +
  "lifecycle rule that removes them, see 'Buckets that keep versions' in docs/stores.md";

/**
 * The store's time, but stricter than {@linkcode BucketLog.now}: where the store has not told it (`Date`),
 * neither the local clock nor what was remembered of the store's is believed, since what they make too old
 * is deleted. The newest object is taken to be written just now.
 */
function timeOf(log: BucketLog, objects: readonly DatedName[]): number {
  if (log.clockOffset !== undefined) return log.now();
  return objects.reduce((latest, { lastModified = 0 }) => Math.max(latest, lastModified), 0);
}
