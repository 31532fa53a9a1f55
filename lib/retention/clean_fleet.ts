/**
 * Deletes what servers have left behind that are gone: presences, lists of feeds, and what they
 * have checked.
 *
 * @module
 */
import { MAX_AGE_MS } from "../fleet/view.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import { digestIn, parseChecksKey, parsePresenceKey } from "../log/fleet/names.ts";
import type { FailedDelete, ObjectInfo, StoreOptions } from "../stores/store.ts";

/** How long it is kept what a server has checked: whoever takes over has long read it by then. */
const CHECKS_AGE_MS = 7 * MAX_AGE_MS;

/** Options of {@linkcode cleanFleet}. */
export interface CleanFleetOptions extends StoreOptions {
  /** The store's time, in milliseconds since 1970. */
  readonly now: number;
  /** Delete nothing. */
  readonly dryRun: boolean;
}

/** The result of {@linkcode cleanFleet}. */
export interface FleetCleanup {
  /** Number of objects deleted; in a dry run, that would be deleted. */
  readonly departed: number;
  /** What could not be deleted. */
  readonly failures: readonly FailedDelete[];
}

/** Deletes presences and unnamed lists after a day, and what was checked after a week. */
export async function cleanFleet(
  log: BucketLog,
  { now, dryRun, signal }: CleanFleetOptions,
): Promise<FleetCleanup> {
  const objects: ObjectInfo[] = [];
  for await (const object of log.fleet.listAll({ signal })) objects.push(object);
  const isOlder = ({ lastModified }: ObjectInfo, ageMs: number) =>
    lastModified !== undefined && now - lastModified > ageMs;
  const named = new Set(
    objects.filter((object) => !isOlder(object, MAX_AGE_MS))
      .map(({ key }) => parsePresenceKey(key)?.list),
  );
  const keys = objects.filter((object) => {
    const { key } = object, digest = digestIn(key);
    if (parseChecksKey(key)) return isOlder(object, CHECKS_AGE_MS);
    const isUnused = digest === undefined
      ? parsePresenceKey(key) !== undefined
      : !named.has(digest);
    return isUnused && isOlder(object, MAX_AGE_MS);
  }).map(({ key }) => key);
  const failures = dryRun || keys.length === 0 ? [] : await log.fleet.delete(keys, { signal });
  return { departed: keys.length - failures.length, failures };
}
