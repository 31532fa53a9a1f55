/**
 * Deleting the expired objects of one stream: from the oldest on, and none before all that must outlive it
 * was carried.
 *
 * @module
 */
import { isLocked } from "../errors.ts";
import { type BucketLog, type DatedName, whyUnreadable } from "../log/bucket_log.ts";
import type { DecodedObject } from "../log/codec.ts";
import type { StoreOptions } from "../stores/store.ts";
import { type Carrier, Going } from "./carry.ts";
import { type ExpiryOptions, isGivenUp } from "./expiry.ts";

/** What is read goes when it takes more bytes in memory than this. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/** As many objects go with one request to delete. */
const MAX_BATCH_OBJECTS = 1000;

/** What it takes. */
export interface ExpireContext extends ExpiryOptions, StoreOptions {
  readonly log: BucketLog;
  readonly carrier: Carrier;
  /** Delete nothing. */
  readonly dryRun: boolean;
}

/** Why what is left of the expired objects is still there. */
export type Obstacle =
  /** A GET did not find the object: somebody else has deleted it, or it is not to be seen yet. */
  | { readonly kind: "missing" }
  /** This server lacks a key, or is too old. */
  | { readonly kind: "locked"; readonly error: Error }
  /** It could not be read, carried or deleted. */
  | { readonly kind: "failed"; readonly error: Error };

/** An object that went although nobody could read it here. */
export interface Unread {
  readonly name: DatedName;
  /** Why not. */
  readonly error: Error;
}

/** What came of a stream. */
export interface Expired {
  /** Deleted, or with `dryRun` to be deleted. */
  deleted: DatedName[];
  /** Those among them for which this server lacked a key or an upgrade. */
  givenUp: Unread[];
  /** Those among them that were damaged. */
  damaged: Unread[];
  /** What ended it early. */
  obstacle?: Obstacle;
}

/** An object, or why it is not known what is in it. */
type Content = DecodedObject | { readonly damage: Error } | Obstacle;

/** Objects that go together. */
interface Batch {
  readonly names: DatedName[];
  readonly going: Going;
  readonly givenUp: Unread[];
  readonly damaged: Unread[];
  /** Why it ends where it does, unless that is because it is large enough. */
  obstacle?: Obstacle;
}

/** Carries and deletes the expired objects of a stream, in their order, as far as they can be carried. */
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

/** Reads objects until it is enough, or one is in the way. */
async function readBatch(
  context: ExpireContext,
  expired: readonly DatedName[],
): Promise<Batch> {
  const batch: Batch = { names: [], going: new Going(), givenUp: [], damaged: [] };
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

/** Carry first, delete after. Resolves to what is deleted; what is not is an obstacle. */
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

/** What is in the object. What looks damaged is read twice: it may have been damaged on the way. */
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
