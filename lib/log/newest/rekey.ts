/**
 * Rewrites the objects in `newest/` after the keys have changed: with the current key, and under
 * the current name.
 *
 * @module
 */
import { forEachConcurrently } from "../../base/concurrently.ts";
import { FeedSyncError, MissingObjectError, StoreUnavailableError } from "../../errors.ts";
import type { StoreOptions } from "../../stores/store.ts";
import type { BucketLog } from "../bucket_log.ts";
import { type DatedNewest, hasPlausibleTime } from "./names.ts";

/** Maximum number of objects rewritten at the same time. */
const LIMIT = 8;

/** The result of rekeying, or of a dry run. */
export interface RekeyReport {
  /** Number of objects in `newest/`. */
  readonly examined: number;
  /** Number of objects rewritten; with `dryRun`, that would be rewritten. */
  readonly rekeyed: number;
  /** Number of objects that could not be rewritten: rekey again before you drop a key. */
  readonly failed: number;
  /** The first error; absent when nothing failed. */
  readonly error?: Error;
}

/** The progress of rekeying. */
export interface RekeyProgress {
  /** Number of objects examined so far. */
  readonly done: number;
  /** Number of objects at the start. */
  readonly total: number;
}

/** Options of {@linkcode rekeyNewest}. */
export interface RekeyNewestOptions extends StoreOptions {
  /** Write and delete nothing. */
  readonly dryRun: boolean;
  /** Called after each object. */
  readonly onProgress?: ((progress: RekeyProgress) => void) | undefined;
}

/**
 * Rewrites the objects that another key has encrypted or named, or that are unencrypted. Deletes an
 * old object only after reading the new one, so that nothing is lost if it is interrupted. Another
 * run continues.
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

/** Rewrites an object unless it is current; resolves to whether it was rewritten. */
async function rekeyObject(
  log: BucketLog,
  name: DatedNewest,
  { dryRun, signal }: RekeyNewestOptions,
): Promise<boolean> {
  // Rewriting would make an implausible time look plausible, since the object would be younger.
  if (!hasPlausibleTime(name, log.now())) return false;
  const stored = await log.newest.readStored(name, { signal });
  if (!stored) throw new MissingObjectError(name.key);
  const { key } = await log.newest.nameOf(stored.update);
  if (stored.isCurrent && key === name.key) return false;
  if (dryRun) return true;
  const written = await log.newest.write(stored.update, { signal });
  const again = await log.newest.readStored(written, { signal });
  if (!again?.isCurrent) {
    throw new StoreUnavailableError(
      `Cannot rekey ${name.key}: reading it back returns another object; the store lags, or another ` +
        "server writes it with other keys; run rekey again",
    );
  }
  const failures = key === name.key ? [] : await log.delete([name.key], { signal });
  if (failures.length > 0) throw failures[0].error;
  return true;
}
