/**
 * Deletes the expired objects of one stream, oldest first, each after its newest updates were
 * carried.
 *
 * @module
 */
import { isLocked } from "../errors.ts";
import type { BucketLog, DatedName } from "../log/bucket_log.ts";
import { whyUnreadable } from "../log/why_unreadable.ts";
import type { DecodedObject } from "../log/codec.ts";
import type { StoreOptions } from "../stores/store.ts";
import { type Carrier, NewestPerFeed } from "./carry.ts";
import { type ExpiryOptions, isGivenUp } from "./expiry.ts";

/** Memory use in bytes at which a batch is complete. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/** Maximum number of objects in a batch: as many as one DELETE request takes. */
const MAX_BATCH_OBJECTS = 1000;

/** Dependencies of {@linkcode expireStream}. */
export interface ExpireContext extends ExpiryOptions, StoreOptions {
  readonly log: BucketLog;
  readonly carrier: Carrier;
  /** Only report; delete nothing. */
  readonly dryRun: boolean;
}

/** Why the remaining expired objects of a stream are kept. */
export type Obstacle =
  /** A GET does not find the object: it was deleted meanwhile, or is not visible yet. */
  | { readonly kind: "missing" }
  /** This server lacks a key or an upgrade. */
  | { readonly kind: "locked"; readonly error: Error }
  /** The object could not be read, carried or deleted. */
  | { readonly kind: "failed"; readonly error: Error };

/** An object that is deleted unread. */
export interface Unread {
  readonly name: DatedName;
  /** Why it cannot be read. */
  readonly error: Error;
}

/** The result for a stream. */
export interface Expired {
  /** Deleted objects; with `dryRun`, those that would be deleted. */
  deleted: DatedName[];
  /** Objects among these for which this server lacks a key or an upgrade. */
  givenUp: Unread[];
  /** Damaged objects among these. */
  damaged: Unread[];
  /** Why the other expired objects are kept. */
  obstacle?: Obstacle;
}

/** The content of an object, or why it cannot be read. */
type Content = DecodedObject | { readonly damage: Error } | Obstacle;

/** Objects that are deleted together. */
interface Batch {
  readonly names: DatedName[];
  readonly going: NewestPerFeed;
  readonly givenUp: Unread[];
  readonly damaged: Unread[];
  /** Why the batch ends here; absent when it is full. */
  obstacle?: Obstacle;
}

/** Carries and deletes the expired objects of a stream in order, up to the first obstacle. */
export async function expireStream(
  context: ExpireContext,
  expired: readonly DatedName[],
): Promise<Expired> {
  const result: Expired = { deleted: [], givenUp: [], damaged: [] };
  for (let done = 0; done < expired.length && !result.obstacle;) {
    const batch = await readBatch(context, expired.slice(done));
    const deleted = await deleteBatch(context, batch);
    const isDeleted = ({ name }: Unread) => deleted.includes(name);
    result.deleted.push(...deleted);
    result.givenUp.push(...batch.givenUp.filter(isDeleted));
    result.damaged.push(...batch.damaged.filter(isDeleted));
    result.obstacle = batch.obstacle;
    done += batch.names.length;
  }
  return result;
}

/** Reads objects until the batch is full, or there is an obstacle. */
async function readBatch(
  context: ExpireContext,
  expired: readonly DatedName[],
): Promise<Batch> {
  const batch: Batch = { names: [], going: new NewestPerFeed(), givenUp: [], damaged: [] };
  let bytes = 0;
  for (const name of expired.slice(0, MAX_BATCH_OBJECTS)) {
    const content = await contentOf(context, name);
    if ("damage" in content) {
      batch.damaged.push({ name, error: content.damage });
    } else if ("updates" in content) {
      const { stream, lastModified } = name;
      batch.going.add(content.updates.map((update) => ({ ...update, stream })), lastModified!);
      bytes += content.size;
    } else if (content.kind === "locked" && isGivenUp(name, context)) {
      batch.givenUp.push({ name, error: content.error });
    } else {
      return { ...batch, obstacle: content };
    }
    batch.names.push(name);
    if (bytes > MAX_BATCH_BYTES) break;
  }
  return batch;
}

/** Carries, then deletes; resolves to the deleted objects. A failure becomes the obstacle. */
async function deleteBatch(
  { log, carrier, dryRun, signal }: ExpireContext,
  batch: Batch,
): Promise<DatedName[]> {
  try {
    await carrier.carry(batch.going);
  } catch (error) {
    signal?.throwIfAborted();
    batch.obstacle = { kind: "failed", error: error as Error };
    return [];
  }
  const keys = batch.names.map(({ key }) => key);
  const failures = dryRun || keys.length === 0 ? [] : await log.delete(keys, { signal });
  if (failures.length > 0) batch.obstacle = { kind: "failed", error: failures[0].error };
  const failed = new Set(failures.map(({ key }) => key));
  return batch.names.filter(({ key }) => !failed.has(key));
}

/** Reads an object; twice if it is damaged, since that may have happened in transit. */
async function contentOf(context: ExpireContext, name: DatedName): Promise<Content> {
  const content = await readOnce(context, name);
  return "damage" in content ? await readOnce(context, name) : content;
}

async function readOnce({ log, signal }: ExpireContext, name: DatedName): Promise<Content> {
  try {
    const packed = await log.read(name, { signal });
    return packed ? packed.decode() : { kind: "missing" };
  } catch (error) {
    signal?.throwIfAborted();
    if (whyUnreadable(error) === "corrupt") return { damage: error as Error };
    return { kind: isLocked(error) ? "locked" : "failed", error: error as Error };
  }
}
