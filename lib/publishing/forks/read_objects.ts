/**
 * Reading objects of own streams back, to compare them with what was published.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { whyUnreadable } from "../../log/bucket_log.ts";
import type { StoredUpdate } from "../../log/codec.ts";
import type { UploadContext } from "../commit.ts";
import { sleep } from "../../base/environment.ts";
import { messageOf } from "../../errors.ts";
import type { ObjectName } from "../../log/names.ts";
import { MAX_LISTING_LAG_MS, type StoreOptions } from "../../stores/store.ts";

/** What listings go on showing is fetched so many times before it is left for later. */
const MAX_TRIES = 3;

const logger = getLogger(["feedsync", "publish"]);

/** What came of an object: its updates, or why there are none. */
export type ReadResult = readonly StoredUpdate[] | "corrupt" | "locked" | undefined;

/**
 * Reads an object; undefined when it is not there, which may be untrue: until it is found, it counts as
 * absent. "corrupt" when it is not what its key says, or the store refuses to hand it out, "locked" when
 * this server lacks the key that it is encrypted with, or is too old for its format. What is corrupt is read a second time: it may have
 * been cut short on the way, and to take it for damaged gives a stream up.
 */
export async function readObject(
  name: ObjectName,
  context: UploadContext,
  options: StoreOptions,
): Promise<ReadResult> {
  const first = await readOnce(name, context, options);
  const result = first === "corrupt" ? await readOnce(name, context, options) : first;
  if (result === undefined) context.absent.postpone(name);
  else context.absent.forget(name);
  return result;
}

async function readOnce(
  name: ObjectName,
  context: UploadContext,
  options: StoreOptions,
): Promise<ReadResult> {
  try {
    return (await context.log.read(name, options))?.decode().updates;
  } catch (error) {
    const reason = whyUnreadable(error);
    if (!reason) throw error;
    if (reason !== "locked") return "corrupt";
    logger.warn("{message}; it is taken for another server's, though it is in an own stream", {
      message: messageOf(error),
    });
    return "locked";
  }
}

/**
 * Reads every object that `list` shows, as far as it can be read. One that is not found was sealed or
 * superseded meanwhile, or is not handed out yet: what holds its updates now is listed again, as are
 * objects that a listing may not show yet. What is still listed and not found in the end counts as absent.
 */
export async function* readAll(
  context: UploadContext,
  list: () => Promise<readonly ObjectName[]>,
  options: StoreOptions,
): AsyncIterable<{ readonly name: ObjectName; readonly updates: readonly StoredUpdate[] }> {
  const tries = new Map<string, number>();
  let missed: ObjectName[] = [];
  do {
    await sleep(context.environment.clock, MAX_LISTING_LAG_MS, options.signal);
    const names = await list(), listed = new Set(names.map(({ key }) => key));
    for (const name of missed) if (!listed.has(name.key)) context.absent.forget(name);
    missed = [];
    for (const name of names) {
      const tried = tries.get(name.key) ?? 0;
      if (tried >= MAX_TRIES) continue;
      const updates = await readObject(name, context, options);
      tries.set(name.key, updates === undefined ? tried + 1 : MAX_TRIES);
      if (updates === undefined) missed.push(name);
      else if (updates === "locked") context.locked.add(name);
      else if (updates !== "corrupt") yield { name, updates };
    }
  } while (missed.length > 0);
}
