/**
 * Listings of the bucket, by stream.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { keysBeyond, type ObjectKind, type ObjectName, parseKey } from "./names.ts";
import type { ObjectStore, StoreOptions } from "../stores/store.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Lists `tail/`: what there is, by stream. This is the poll. */
export async function listTail(
  store: ObjectStore,
  foreign: ForeignKeys,
  options: StoreOptions,
): Promise<Map<string, ObjectName[]>> {
  const streams = new Map<string, Map<string, ObjectName>>();
  for await (const { key } of store.list("tail/", options)) {
    const name = parseKey(key);
    if (!name) foreign.note(key);
    if (name?.kind !== "tail") continue;
    const names = streams.get(name.stream);
    if (names) names.set(key, name);
    else streams.set(name.stream, new Map([[key, name]]));
  }
  return new Map([...streams].map(([stream, names]) => [stream, [...names.values()]]));
}

/** Options of {@linkcode listStream}. */
export interface StreamListOptions extends StoreOptions {
  /**
   * Only objects that reach beyond this seq, and not surely all of those: where a store does not list in
   * the order of keys, it leaves out others than were meant. Spares pages, and proves nothing.
   */
  readonly beyond?: number;
}

/** Lists the commits or segments of one stream, in no order and each once, whatever the store does. */
export async function listStream(
  store: ObjectStore,
  kind: ObjectKind,
  stream: string,
  { beyond, signal }: StreamListOptions,
): Promise<ObjectName[]> {
  const names = new Map<string, ObjectName>();
  const startAfter = beyond === undefined ? undefined : keysBeyond(kind, stream, beyond);
  for await (const { key } of store.list(`${kind}/${stream}/`, { startAfter, signal })) {
    const name = parseKey(key);
    if (name?.kind !== kind || name.stream !== stream || name.last <= (beyond ?? 0)) continue;
    names.set(key, name);
  }
  return [...names.values()];
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
