/**
 * Rows that have left the outbox since their segment is closed: fetched back from there when an
 * unknown object has to be compared with them.
 *
 * @module
 */
import { decodeBody, type StoredUpdate } from "../codec.ts";
import { CorruptObjectError } from "../errors.ts";
import { type ObjectName, parseKey } from "../keys.ts";
import type { ObjectStore, StoreOptions } from "../stores/store.ts";
import { updateBody } from "./accept.ts";
import type { UploadContext } from "./commit.ts";

/**
 * Fetches the rows from `first` on that were dropped back from the closed segments that hold them,
 * the newest first: where one has expired, or cannot be read, nothing older can be compared.
 */
export async function fetchRows(
  { store, state }: UploadContext,
  first: number,
  options: StoreOptions,
): Promise<void> {
  const { outbox, publisher } = state;
  const { base } = publisher.load();
  for (const key of publisher.closedFrom(first)) {
    const name = parseKey(key)!;
    if (outbox.firstRow() <= base + name.first) continue;
    const updates = await readObject(name, store, options);
    if (!Array.isArray(updates)) return;
    state.transaction(() => {
      for (const { seq, id, url, time, metadata, ...content } of updates) {
        const body = updateBody({ ...content, metadata });
        outbox.putBack({ row: base + seq, id, url, time: Date.parse(time), body });
      }
    }, { durable: false });
  }
}

/** Reads an object; undefined when it is gone, "corrupt" when it is not what its key says. */
export async function readObject(
  name: ObjectName,
  store: ObjectStore,
  options: StoreOptions,
): Promise<StoredUpdate[] | "corrupt" | undefined> {
  const body = await store.get(name.key, options);
  try {
    return body && decodeBody(name, body);
  } catch (error) {
    if (error instanceof CorruptObjectError) return "corrupt";
    throw error;
  }
}
