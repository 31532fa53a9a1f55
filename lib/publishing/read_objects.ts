/**
 * Reading objects of own streams back, to compare them with what was published.
 *
 * @module
 */
import { decodeBody, type StoredUpdate } from "../codec.ts";
import type { UploadContext } from "./commit.ts";
import { sleep } from "../environment.ts";
import { CorruptObjectError } from "../errors.ts";
import type { ObjectName } from "../keys.ts";
import { LONGEST_LAG, type ObjectStore, type StoreOptions } from "../stores/store.ts";

/** Reads an object; undefined when it is gone, "corrupt" when it is not what its key says. */
export async function readObject(
  name: ObjectName,
  store: ObjectStore,
  options: StoreOptions,
): Promise<StoredUpdate[] | "corrupt" | undefined> {
  try {
    const body = await store.get(name.key, options);
    return body && decodeBody(name, body);
  } catch (error) {
    if (error instanceof CorruptObjectError) return "corrupt";
    throw error;
  }
}

/**
 * Reads every object that `list` shows, as far as it can be read. One that is gone by then was sealed or superseded meanwhile:
 * what holds its updates now is listed again, as are objects that a listing may not show yet.
 */
export async function* readAll(
  { store, environment: { clock } }: UploadContext,
  list: () => Promise<readonly ObjectName[]>,
  options: StoreOptions,
): AsyncIterable<StoredUpdate[]> {
  const done = new Set<string>();
  for (let missed = true; missed;) {
    missed = false;
    await sleep(clock, LONGEST_LAG, options.signal);
    for (const name of await list()) {
      if (done.has(name.key)) continue;
      done.add(name.key);
      const updates = await readObject(name, store, options);
      if (updates === undefined) missed = true;
      else if (updates !== "corrupt") yield updates;
    }
  }
}
