/**
 * Rows that have left the outbox since their segment is closed: fetched back from there when an
 * unknown object has to be compared with them.
 *
 * @module
 */
import type { StoredUpdate } from "../codec.ts";
import { parseKey } from "../keys.ts";
import type { OutboxRow } from "../state/outbox.ts";
import { readObject } from "./read_objects.ts";
import type { StoreOptions } from "../stores/store.ts";
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
      for (const update of updates) outbox.putBack(rowOf(update, base));
    }, { durable: false });
  }
}

/** The row of an update; `base`: the row before the one with seq 1. */
export function rowOf(
  { seq, id, url, time, metadata, ...content }: StoredUpdate,
  base: number,
): OutboxRow {
  const body = updateBody({ ...content, metadata });
  return { row: base + seq, id, url, time: Date.parse(time), body };
}
