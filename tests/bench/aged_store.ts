/**
 * A store in which some objects look older than they are: benchmarks do not wait for the retention.
 *
 * @module
 */
import type {
  FailedDelete,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
  StoreOptions,
} from "../../lib/stores/store.ts";

/** Which objects, and by how much. */
export interface Aging {
  /** Whether the object at this key looks older. */
  readonly isOld: (key: string) => boolean;
  /** By so many milliseconds. */
  readonly byMs: number;
}

/** Another store, as it may look some days later. */
export class AgedStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #aging: Aging;

  /** Ends with `store`. */
  constructor(store: ObjectStore, aging: Aging) {
    this.#store = store;
    this.#aging = aging;
  }

  get url(): string {
    return this.#store.url;
  }

  get clockOffset(): number | undefined {
    return this.#store.clockOffset;
  }

  get requests(): Readonly<RequestCounts> {
    return this.#store.requests;
  }

  put(key: string, body: Uint8Array, options?: StoreOptions): Promise<void> {
    return this.#store.put(key, body, options);
  }

  get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined> {
    return this.#store.get(key, options);
  }

  async *list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo> {
    const { isOld, byMs } = this.#aging;
    for await (const object of this.#store.list(prefix, options)) {
      const { key, lastModified } = object;
      const looksOld = lastModified !== undefined && isOld(key);
      yield looksOld ? { ...object, lastModified: lastModified - byMs } : object;
    }
  }

  delete(keys: readonly string[], options?: StoreOptions): Promise<FailedDelete[]> {
    return this.#store.delete(keys, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}
