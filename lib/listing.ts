/**
 * Listings of the bucket, by stream.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { keysBeyond, type ObjectKind, type ObjectName, parseKey } from "./keys.ts";
import type { ObjectStore, StoreOptions } from "./stores/store.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Lists `tail/`: what there is, by stream. This is the poll. */
export async function listTail(
  store: ObjectStore,
  foreign: ForeignKeys,
  options: StoreOptions,
): Promise<Map<string, ObjectName[]>> {
  const streams = new Map<string, ObjectName[]>();
  for await (const { key } of store.list("tail/", options)) {
    const name = parseKey(key);
    if (!name) {
      foreign.note(key);
      continue;
    }
    const names = streams.get(name.stream);
    if (names) names.push(name);
    else streams.set(name.stream, [name]);
  }
  return streams;
}

/** Lists the commits or segments of one stream that reach beyond `cursor`; all without one. */
export async function listStream(
  store: ObjectStore,
  kind: ObjectKind,
  stream: string,
  { cursor = 0, signal }: StoreOptions & { cursor?: number },
): Promise<ObjectName[]> {
  const names: ObjectName[] = [];
  const startAfter = keysBeyond(kind, stream, cursor);
  for await (const { key } of store.list(`${kind}/${stream}/`, { startAfter, signal })) {
    const name = parseKey(key);
    if (name) names.push(name);
  }
  return names;
}

/** Counts the objects that are not feedsync's, and warns once. */
export class ForeignKeys {
  readonly #store: ObjectStore;
  readonly #keys = new Set<string>();

  /** None yet. */
  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** How many different ones were seen (at most 1,000 are told apart). */
  get count(): number {
    return this.#keys.size;
  }

  /** A key that does not parse. */
  note(key: string): void {
    if (this.#keys.size === 0) {
      logger.warn("{key} in {store} is not an object of feedsync; it and others are ignored", {
        key,
        store: this.#store.url,
      });
    }
    if (this.#keys.size < 1000) this.#keys.add(key);
  }
}
