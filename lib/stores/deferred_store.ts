/**
 * A store that is opened at the first request: a process that leaves its requests to another one starts
 * without it.
 *
 * @module
 */
import type { Meter } from "./meter.ts";
import type {
  FailedDelete,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
  StoreOptions,
} from "./store.ts";

/** What is known of a store before it is opened. */
export interface DeferredOptions {
  /** See {@linkcode ObjectStore.url}. */
  readonly url: string;
  /** See {@linkcode ObjectStore.service}. */
  readonly service: string;
  /** Measures its requests. */
  readonly meter: Meter;
  /** Opens it; called again after a failure. */
  open(): Promise<ObjectStore>;
}

/** Opens another store when it is needed. */
export class DeferredStore implements ObjectStore {
  readonly url: string;
  readonly service: string;
  readonly #meter: Meter;
  readonly #open: () => Promise<ObjectStore>;
  #opening: Promise<ObjectStore> | undefined;
  #store: ObjectStore | undefined;
  #expectsObjects = false;

  /** Opens nothing yet. */
  constructor({ url, service, meter, open }: DeferredOptions) {
    this.url = url;
    this.service = service;
    this.#meter = meter;
    this.#open = open;
  }

  get clockOffset(): number | undefined {
    return this.#meter.clockOffset;
  }

  get requests(): RequestCounts {
    return this.#meter.requests;
  }

  get keepsVersions(): boolean {
    return this.#store?.keepsVersions ?? false;
  }

  expectObjects(): void {
    this.#expectsObjects = true;
    this.#store?.expectObjects?.();
  }

  async create(options?: StoreOptions): Promise<boolean> {
    const store = await this.#opened();
    return await store.create?.(options) ?? false;
  }

  async put(key: string, body: Uint8Array, options?: StoreOptions): Promise<void> {
    const store = await this.#opened();
    await store.put(key, body, options);
  }

  async get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const store = await this.#opened();
    return await store.get(key, options);
  }

  async *list(prefix: string, options?: ListOptions): AsyncGenerator<ObjectInfo> {
    const store = await this.#opened();
    yield* store.list(prefix, options);
  }

  async delete(keys: readonly string[], options?: StoreOptions): Promise<FailedDelete[]> {
    const store = await this.#opened();
    return await store.delete(keys, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const store = await this.#opening?.catch(() => undefined);
    await store?.[Symbol.asyncDispose]();
  }

  #opened(): Promise<ObjectStore> {
    return this.#opening ??= this.#begin();
  }

  async #begin(): Promise<ObjectStore> {
    try {
      const store = this.#store = await this.#open();
      if (this.#expectsObjects) store.expectObjects?.();
      return store;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }
}
