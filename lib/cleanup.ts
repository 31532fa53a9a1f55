/**
 * Deleting old updates.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { connectionOf, type FeedSync } from "./connection.ts";
import { parseDuration } from "./base/duration.ts";
import type { State } from "./state/state.ts";
import type { StoreOptions } from "./stores/store.ts";
import type { Environment } from "./base/environment.ts";
import { OnceLog } from "./base/once_log.ts";
import type { BucketListing, BucketLog, DatedName } from "./log/bucket_log.ts";
import { expiredObjects, LOCKED_LIVES } from "./log/expiry.ts";
import type { LockedStream } from "./state/cursors.ts";

const logger = getLogger(["feedsync", "cleanup"]);

/** The least age: a write that was reported failed may land a while later. In milliseconds. */
export const MIN_AGE: number = 10 * 60 * 1000;

/** So many keys are named in a message on a stream; and so many objects logged in all, or a few more. */
const MOST_KEYS_TOLD = 10, MOST_UNREAD_TOLD = 100;

/** Options of {@linkcode cleanup}. */
export interface CleanupOptions {
  /**
   * Updates older than this are deleted: `"24h"`, or milliseconds; at least 10 minutes.
   * @default the `retention` of the configuration, or a day when there is none
   */
  readonly maxAge?: string | number | undefined;
  /** Delete nothing, only tell what would be. @default false */
  readonly dryRun?: boolean | undefined;
  /** Ends the cleanup; what is deleted by then stays deleted. */
  readonly signal?: AbortSignal | undefined;
}

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
  /** Objects that are not feedsync's; left alone. */
  readonly foreign: number;
  /** Keys of what was deleted, or would be. */
  readonly keys: readonly string[];
}

/**
 * Deletes old updates of all servers. Age is measured by the store's own clock. Safe to run on
 * every server at once and at any time: what remains of a stream has no hole.
 *
 * @example
 * ```ts
 * import { cleanup, connect } from "@feedsync/feedsync";
 *
 * await using sync = await connect({ store: `file:${await Deno.makeTempDir()}` });
 * const report = await cleanup(sync, { maxAge: "24h", dryRun: true });
 * console.log(report.deleted); // 0
 * ```
 *
 * @throws {RangeError} when `maxAge` is less than 10 minutes.
 * @throws {StoreUnavailableError} when the store cannot be reached.
 * @throws {AccessDeniedError} when the store refuses.
 * @throws {ClosedError} when the connection is closed, or gets closed meanwhile.
 */
export async function cleanup(
  sync: FeedSync,
  { maxAge, dryRun, signal }: CleanupOptions = {},
): Promise<CleanupReport> {
  return await cleanUpWithState(sync, { maxAge, dryRun, signal });
}

/** {@linkcode cleanup}; `state` tells what this server waits for. */
export async function cleanUpWithState(
  sync: FeedSync,
  { maxAge, dryRun, signal }: CleanupOptions,
  state: Pick<State, "cursors"> | undefined = connectionOf(sync).parts?.state,
): Promise<CleanupReport> {
  const connection = connectionOf(sync);
  const { parts, config, closed } = connection;
  const age = parseDuration(maxAge ?? (config.retention || "24h"));
  if (age < MIN_AGE) {
    throw new RangeError(
      `Cannot clean up as 'maxAge' must be at least 10 minutes: current value is ${maxAge ?? age}`,
    );
  }
  if (!parts) return NOTHING;
  const either = signal ? AbortSignal.any([signal, closed]) : closed;
  try {
    return await connection.keepOpen(
      cleanUp(parts.log, {
        maxAge: age,
        dryRun,
        locked: (stream) => state?.cursors.locked(stream),
        signal: either,
        problems: problemsOf(parts.environment),
      }),
    );
  } catch (error) {
    closed.throwIfAborted();
    throw error;
  }
}

/** Where a cleanup, or several in succession, report what is wrong with their store. */
export function problemsOf({ clock }: Pick<Environment, "clock">): OnceLog {
  return new OnceLog(logger, clock);
}

/** {@linkcode cleanup} for what is in a bucket; `maxAge` in milliseconds. */
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

const NOTHING: CleanupReport = {
  deleted: 0,
  bytes: 0,
  deletedUnread: 0,
  kept: 0,
  failed: 0,
  undated: 0,
  foreign: 0,
  keys: [],
};

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
    if (waiting && unread.length > 0 && !dryRun && result.unread < MOST_UNREAD_TOLD) {
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
  const keys = unread.slice(0, MOST_KEYS_TOLD).map(({ key }) => key).join(", ");
  const more = unread.length - MOST_KEYS_TOLD;
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
