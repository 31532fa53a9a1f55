/**
 * Deletes expired objects from the bucket.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Environment } from "../base/environment.ts";
import { OnceLog } from "../base/once_log.ts";
import { messageOf } from "../errors.ts";
import type { BucketListing, BucketLog, DatedName } from "../log/bucket_log.ts";
import type { NewestRow } from "../state/newest.ts";
import type { StoreOptions } from "../stores/store.ts";
import { Carrier } from "./carry.ts";
import { cleanFleet } from "./clean_fleet.ts";
import { type Expired, expireStream, type Obstacle, type Unread } from "./expire_stream.ts";
import { expiredObjects, LOCKED_LIVES } from "./expiry.ts";
import { type NewestSize, Sweeper } from "./sweep.ts";
import { RemainingLog } from "./remaining_log.ts";

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
  /**
   * Number of updates copied to `newest/`, where they are kept permanently: each was the newest
   * known update of its feed.
   */
  readonly carried: number;
  /** Number of objects deleted from `newest/`, because it has a newer update of their feeds. */
  readonly swept: number;
  /** Number of deleted objects in which servers that are gone had told of themselves. */
  readonly departed: number;
  /** Number of commits and segments kept. */
  readonly kept: number;
  /** Number of expired objects among these, kept because this server lacks a key or an upgrade. */
  readonly locked: number;
  /** Number of objects that could not be read, carried or deleted; a later cleanup retries them. */
  readonly failed: number;
  /** The first error; absent when nothing failed. */
  readonly error?: Error;
  /** Number of kept objects whose age the store does not report. */
  readonly undated: number;
  /** Number of objects that are not feedsync's; they are ignored. */
  readonly foreign: number;
  /** Size of `newest/`; absent when this cleanup did not list it. */
  readonly newest?: NewestSize;
  /** Keys of the commits and segments that were deleted; in a dry run, that would be deleted. */
  readonly keys: readonly string[];
}

/** Makes a log of problems with the store; repeated cleanups share one. */
export function problemsOf({ clock }: Pick<Environment, "clock">): OnceLog {
  return new OnceLog(logger, clock);
}

/** Options of {@linkcode cleanUp}. */
export interface CleanUpOptions extends StoreOptions {
  /** Logs repeated problems once. */
  readonly problems: OnceLog;
  /** Age from which objects expire, in milliseconds. */
  readonly maxAge: number;
  /** Looks up the newest known update of a feed. @default none is known, so more is carried */
  readonly known?: ((url: string) => NewestRow | undefined) | undefined;
  /**
   * Whether to sweep all of `newest/`, not only the groups that were written, and to delete what
   * servers have left behind that are gone. @default false
   */
  readonly sweepAll?: boolean;
  /** Only report; write and delete nothing. @default false */
  readonly dryRun?: boolean | undefined;
}

/** Deletes expired objects, see {@linkcode expiredObjects}, after carrying their newest updates. */
export async function cleanUp(log: BucketLog, options: CleanUpOptions): Promise<CleanupReport> {
  const { problems, dryRun = false, signal } = options;
  const { streams, foreign } = await log.listAll({ signal });
  const objects = [...streams.values()].flat();
  const undated = objects.filter(({ lastModified }) => lastModified === undefined).length;
  if (undated > 0) {
    const properties = { undated, store: log.url };
    problems.problem("undated", { text: UNDATED, properties, kind: "undated" });
  }
  const now = timeOf(log, objects);
  const context = { ...options, log, now, dryRun };
  const { carrier, ...gone } = await deleteExpired(context, streams);
  const { swept, newest, ...sweep } = await sweepNewest(context, carrier);
  const { departed, failures } = context.sweepAll
    ? await cleanFleet(log, context)
    : { departed: 0, failures: [] };
  if (log.keepsVersions) {
    problems.problem("versions", { text: KEEPS_VERSIONS, properties: { store: log.url } });
  }
  const error = gone.error ?? sweep.error ?? failures[0]?.error;
  return {
    deleted: gone.deleted.length,
    bytes: gone.deleted.reduce((sum, { size }) => sum + size, 0),
    deletedUnread: gone.givenUp,
    carried: carrier.carried,
    swept,
    departed,
    kept: objects.length - gone.deleted.length - gone.failed,
    locked: gone.locked,
    failed: gone.failed + sweep.failed + failures.length,
    ...error && { error },
    undated,
    foreign,
    ...newest && { newest },
    keys: gone.deleted.map(({ key }) => key),
  };
}

/** The resolved options of a cleanup. */
interface Context extends CleanUpOptions {
  readonly log: BucketLog;
  /** The store's time. */
  readonly now: number;
  readonly dryRun: boolean;
}

/** The result of deleting expired objects. */
interface Deletion {
  readonly carrier: Carrier;
  readonly deleted: DatedName[];
  givenUp: number;
  locked: number;
  failed: number;
  error?: Error | undefined;
}

/** Deletes expired objects, stream by stream. */
async function deleteExpired(
  context: Context,
  streams: BucketListing["streams"],
): Promise<Deletion> {
  const { log, known, dryRun, signal } = context;
  const expired = new Map<string, DatedName[]>(), going = new Set<string>();
  for (const [stream, objects] of streams) {
    const old = expiredObjects(objects, context);
    if (old.length > 0) expired.set(stream, old);
    for (const { key } of old) going.add(key);
  }
  const remaining = new RemainingLog(streams, { going, now: context.now });
  const carrier = new Carrier(log, { remaining, known, dryRun, signal });
  const result: Deletion = { carrier, deleted: [], givenUp: 0, locked: 0, failed: 0 };
  let logged = 0;
  for (const [stream, objects] of expired) {
    const outcome = await expireStream({ ...context, carrier }, objects);
    const left = objects.length - outcome.deleted.length;
    for (const object of outcome.deleted) result.deleted.push(object); // Too many for one call.
    result.givenUp += outcome.givenUp.length;
    noteObstacle(context, result, { stream, left, obstacle: outcome.obstacle });
    if (dryRun || logged >= MAX_LOGGED_UNREAD) continue;
    logged += outcome.givenUp.length + outcome.damaged.length;
    logUnread(stream, outcome);
  }
  return result;
}

/** Counts the expired objects of a stream that are kept, and logs why. */
function noteObstacle(
  { problems }: Context,
  result: Deletion,
  { stream, left, obstacle }: { stream: string; left: number; obstacle: Obstacle | undefined },
): void {
  if (obstacle?.kind === "failed") {
    result.failed += left;
    result.error ??= obstacle.error;
  }
  if (obstacle?.kind !== "locked") return void problems.resolved(stream);
  result.locked += left;
  const properties = { left, stream, message: messageOf(obstacle.error) };
  problems.problem(stream, { text: LOCKED, properties });
}

/** The result of sweeping. */
interface Sweep {
  readonly swept: number;
  readonly failed: number;
  readonly error?: Error | undefined;
  readonly newest?: NewestSize | undefined;
}

/** Sweeps all groups, or those that were written. Returns errors, since the rest has succeeded. */
async function sweepNewest(
  { log, now, sweepAll = false, dryRun, signal }: Context,
  carrier: Carrier,
): Promise<Sweep> {
  const names = dryRun ? [] : [...carrier.written];
  const written = new Set(names.map(({ key }) => key));
  const sweeper = new Sweeper(log, { now, written, dryRun, signal });
  let newest: NewestSize | undefined, error: Error | undefined;
  try {
    if (sweepAll) newest = await sweeper.sweepAll();
    else await sweeper.sweepGroups(names.map(({ hash }) => hash));
  } catch (cause) {
    signal?.throwIfAborted();
    error = cause as Error;
  }
  const { swept, failures } = sweeper;
  return { swept, newest, failed: failures.length, error: error ?? failures[0]?.error };
}

/**
 * Logs deleted objects that were never read here: as errors, if a key or an upgrade was missing.
 */
function logUnread(stream: string, { givenUp, damaged }: Expired): void {
  if (givenUp.length > 0) {
    logger.error(GIVEN_UP, { lives: LOCKED_LIVES, ...describe(stream, givenUp) });
  }
  if (damaged.length > 0) logger.warn(DAMAGED, describe(stream, damaged));
}

function describe(stream: string, unread: readonly Unread[]): Record<string, unknown> {
  const keys = unread.slice(0, MAX_LOGGED_KEYS).map(({ name: { key } }) => key).join(", ");
  const more = unread.length - MAX_LOGGED_KEYS;
  return {
    count: unread.length,
    stream,
    keys: more > 0 ? `${keys} and ${more} more` : keys,
    reason: messageOf(unread[0].error),
  };
}

const GIVEN_UP =
  "Deleted {count} objects of {stream} that this server could never read, after keeping them " +
  "{lives} times as long as others: {keys}: {reason}";

const DAMAGED = "Deleted {count} objects of {stream} that were damaged: {keys}: {reason}";

const LOCKED =
  "Cannot delete {left} expired objects of {stream}: the newest updates in them must be kept, and " +
  "this server cannot read them: {message}";

const UNDATED =
  "Cannot clean up {undated} objects in {store}, nor those after them in their streams: its listings " +
  "have no LastModified; add a lifecycle rule to the store that deletes old objects in tail/ and " +
  "segments/, but nothing in newest/";

/** The warning about a store that keeps what is deleted. */
export const KEEPS_VERSIONS: string =
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
