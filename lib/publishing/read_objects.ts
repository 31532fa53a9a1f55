/**
 * Reading objects of own streams back, to compare them with what was published.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { decodeBody, type StoredUpdate } from "../codec.ts";
import type { UploadContext } from "./commit.ts";
import { sleep } from "../environment.ts";
import { AccessDeniedError, CorruptObjectError, MissingKeyError } from "../errors.ts";
import { fetchObject } from "../fetch_object.ts";
import type { ObjectName } from "../keys.ts";
import { LONGEST_LAG, type StoreOptions } from "../stores/store.ts";

const logger = getLogger(["feedsync", "publish"]);

/** What came of an object: its updates, or why there are none. */
export type ReadResult = readonly StoredUpdate[] | "corrupt" | "locked" | undefined;

/**
 * Reads an object; undefined when it is gone, "corrupt" when it is not what its key says, or the store
 * refuses to hand it out, "locked"
 * when this server lacks the key that it is encrypted with. What is corrupt is read a second time: it
 * may have been cut short on the way, and to take it for damaged gives a stream up.
 */
export async function readObject(
  name: ObjectName,
  context: UploadContext,
  options: StoreOptions,
): Promise<ReadResult> {
  const result = await readOnce(name, context, options);
  return result === "corrupt" ? await readOnce(name, context, options) : result;
}

async function readOnce(
  name: ObjectName,
  context: UploadContext,
  options: StoreOptions,
): Promise<ReadResult> {
  try {
    const body = await fetchObject(context, name, options);
    return body && decodeBody(name, body);
  } catch (error) {
    if (error instanceof CorruptObjectError || error instanceof AccessDeniedError) return "corrupt";
    if (!(error instanceof MissingKeyError)) throw error;
    logger.warn("{message}; it is taken for another server's, though it is in an own stream", {
      message: error.message,
    });
    return "locked";
  }
}

/**
 * Reads every object that `list` shows, as far as it can be read. One that is gone by then was sealed or
 * superseded meanwhile: what holds its updates now is listed again, as are objects that a listing may
 * not show yet.
 */
export async function* readAll(
  context: UploadContext,
  list: () => Promise<readonly ObjectName[]>,
  options: StoreOptions,
): AsyncIterable<{ readonly name: ObjectName; readonly updates: readonly StoredUpdate[] }> {
  const done = new Set<string>();
  for (let missed = true; missed;) {
    missed = false;
    await sleep(context.environment.clock, LONGEST_LAG, options.signal);
    for (const name of await list()) {
      if (done.has(name.key)) continue;
      done.add(name.key);
      const updates = await readObject(name, context, options);
      if (updates === undefined) missed = true;
      else if (updates === "locked") context.locked.add(name);
      else if (updates !== "corrupt") yield { name, updates };
    }
  }
}
