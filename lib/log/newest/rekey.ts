/**
 * Writing anew what is kept for good, after the keys have changed: with the key that encrypts now, and under
 * the name that it has now.
 *
 * @module
 */
import { forEachConcurrently } from "../../base/concurrently.ts";
import { FeedSyncError, MissingObjectError, StoreUnavailableError } from "../../errors.ts";
import type { StoreOptions } from "../../stores/store.ts";
import type { BucketLog } from "../bucket_log.ts";
import { isPlausible } from "../update_order.ts";
import type { DatedNewest } from "./names.ts";

/** So many objects are worked on at once. */
const LIMIT = 8;

/** What a rekeying did, or would do. */
export interface RekeyReport {
  /** Objects that were in `newest/`. */
  readonly examined: number;
  /** Those that were written anew; with `dryRun` those that would be. */
  readonly rekeyed: number;
  /** Those that could not be: run it again before a key is dropped. */
  readonly failed: number;
  /** Why, of the first; absent when there are none. */
  readonly error?: Error;
}

/** How far a rekeying is. */
export interface RekeyProgress {
  /** Objects that were looked at so far. */
  readonly done: number;
  /** How many there were when it began. */
  readonly total: number;
}

/** How to rekey. */
export interface RekeyNewestOptions extends StoreOptions {
  /** Write and delete nothing. */
  readonly dryRun: boolean;
  /** Told after each object. */
  readonly onProgress?: ((progress: RekeyProgress) => void) | undefined;
}

/**
 * Writes anew what another key has encrypted, or named, or nothing has encrypted. Whatever ends it, nothing is
 * lost: what is old is deleted after the new was read. Another run goes on where it ended.
 */
export async function rekeyNewest(
  log: BucketLog,
  options: RekeyNewestOptions,
): Promise<RekeyReport> {
  const { signal, onProgress } = options;
  let total = 0, done = 0, rekeyed = 0, failed = 0, first: Error | undefined;
  for await (const _ of log.newest.list({ signal })) total++;
  await forEachConcurrently(log.newest.list({ signal }), { limit: LIMIT }, async (name) => {
    try {
      if (await rekeyObject(log, name, options)) rekeyed++;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof FeedSyncError)) throw error;
      failed++;
      first ??= error;
    }
    done++;
    onProgress?.({ done, total: Math.max(done, total) });
  });
  return { examined: done, rekeyed, failed, ...first && { error: first } };
}

/** Writes one object anew, if it is not as it would be written now; resolves to whether it was not. */
async function rekeyObject(
  log: BucketLog,
  name: DatedNewest,
  { dryRun, signal }: RekeyNewestOptions,
): Promise<boolean> {
  // Written anew, its time would look plausible: one that does not count stays one that does not.
  if (!isPlausible(name.time, name.lastModified ?? log.now())) return false;
  const stored = await log.newest.readStored(name, { signal });
  if (!stored) throw new MissingObjectError(name.key);
  const { key } = await log.newest.nameOf(stored.update);
  if (stored.isCurrent && key === name.key) return false;
  if (dryRun) return true;
  const written = await log.newest.write(stored.update, { signal });
  const again = await log.newest.readStored(written, { signal });
  if (!again?.isCurrent) {
    throw new StoreUnavailableError(
      `Cannot rekey ${name.key}: what was written is not what is read, as another server with other keys ` +
        "writes it, too, or the store lags behind; run it again",
    );
  }
  const failures = key === name.key ? [] : await log.delete([name.key], { signal });
  if (failures.length > 0) throw failures[0].error;
  return true;
}
