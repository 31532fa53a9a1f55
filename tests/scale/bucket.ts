import { StoreUnavailableError } from "../../lib/errors.ts";
import { clockOffset } from "../../lib/stores/meter.ts";
import type {
  FailedDelete,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
  StoreOptions,
} from "../../lib/stores/store.ts";
import type { Chance } from "../sim/chance.ts";
import type { Timeline } from "../sim/timeline.ts";

/** Number of keys on a page of a listing. */
const PAGE_SIZE = 1000;

/** A `Date` header, and LastModified in a listing, show whole seconds. */
const RESOLUTION_MS = 1000;

/** A request that gets no answer fails after so long, the attempts of the store's client included. */
const GIVE_UP_MS = 10_000;

/** How long requests take: one in a hundred takes much longer. */
const LATENCY_MS = {
  put: { least: 25, most: 80, slow: 600 },
  get: { least: 10, most: 40, slow: 400 },
  list: { least: 20, most: 70, slow: 500 },
  delete: { least: 15, most: 50, slow: 400 },
} as const;

type Operation = keyof typeof LATENCY_MS;

interface StoredObject {
  readonly body: Uint8Array;
  readonly info: ObjectInfo;
}

/** The bucket of a fleet: its objects, by the first part of their keys. */
export class Bucket {
  readonly #folders = new Map<string, Map<string, StoredObject>>();

  put(key: string, body: Uint8Array, now: number): void {
    const lastModified = Math.floor(now / RESOLUTION_MS) * RESOLUTION_MS;
    this.#folder(key).set(key, { body, info: { key, size: body.length, lastModified } });
  }

  get(key: string): Uint8Array | undefined {
    return this.#folder(key).get(key)?.body;
  }

  delete(key: string): void {
    this.#folder(key).delete(key);
  }

  /** What is there now with this prefix, in no particular order. */
  list(prefix: string, startAfter: string): ObjectInfo[] {
    const listed: ObjectInfo[] = [];
    for (const { info } of this.#folder(prefix).values()) {
      if (info.key.startsWith(prefix) && info.key > startAfter) listed.push(info);
    }
    return listed;
  }

  #folder(key: string): Map<string, StoredObject> {
    const name = folderOf(key);
    const folder = this.#folders.get(name) ?? new Map();
    this.#folders.set(name, folder);
    return folder;
  }
}

/** What a bucket is seen through. */
export interface ViewOptions {
  readonly bucket: Bucket;
  readonly timeline: Timeline;
  readonly chance: Chance;
  /** Counts requests by kind and folder, such as `PUT present/`. */
  readonly count: (kind: string, requests: number) => void;
  /** Milliseconds that the clock of the server is ahead. */
  readonly clockErrorMs: number;
  /** Whether the process lives: a dead one gets no answers. */
  readonly isAlive: () => boolean;
  /** Whether the store answers this server. */
  readonly isReachable: () => boolean;
}

/** The bucket as one process sees it: requests take time, and may fail. */
export class BucketView implements ObjectStore {
  readonly url = "scale:";
  readonly requests: RequestCounts = { put: 0, get: 0, list: 0, delete: 0 };
  clockOffset: number | undefined;
  readonly #options: ViewOptions;

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  async put(key: string, body: Uint8Array, options: StoreOptions = {}): Promise<void> {
    const { bucket, timeline } = this.#options;
    await this.#request("put", key, () => bucket.put(key, body, timeline.now), options);
  }

  async get(key: string, options: StoreOptions = {}): Promise<Uint8Array | undefined> {
    return await this.#request("get", key, () => this.#options.bucket.get(key), options);
  }

  async *list(prefix: string, { startAfter = "", signal }: ListOptions = {}) {
    const read = () => this.#options.bucket.list(prefix, startAfter);
    const listed = await this.#request("list", prefix, read, { signal });
    for (let next = PAGE_SIZE; next < listed.length; next += PAGE_SIZE) {
      await this.#request("list", prefix, () => {}, { signal });
    }
    yield* listed;
  }

  async delete(keys: readonly string[], options: StoreOptions = {}): Promise<FailedDelete[]> {
    const remove = () => keys.forEach((key) => this.#options.bucket.delete(key));
    try {
      await this.#request("delete", keys[0], remove, options);
      return [];
    } catch (error) {
      options.signal?.throwIfAborted();
      return keys.map((key) => ({ key, error: error as Error }));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  /** Sends a request: it takes effect half way. */
  #request<T>(
    operation: Operation,
    key: string,
    effect: () => T,
    { signal }: StoreOptions,
  ): Promise<T> {
    const { timeline, count, isAlive, isReachable } = this.#options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.requests[operation]++;
    count(`${operation.toUpperCase()} ${folderOf(key)}`, 1);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onAbort = () => reject(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const sent = timeline.now, tookMs = this.#latencyMs(operation);
    const answer = (ms: number, settle: () => void) =>
      timeline.after(ms, () => {
        if (!isAlive()) return;
        signal?.removeEventListener("abort", onAbort);
        settle();
      });
    timeline.after(tookMs / 2, () => {
      if (!isAlive()) return;
      if (!isReachable()) {
        answer(GIVE_UP_MS, () => reject(new StoreUnavailableError(`Cannot ${operation} ${key}`)));
        return;
      }
      const value = effect();
      const stamp = Math.floor(timeline.now / RESOLUTION_MS) * RESOLUTION_MS;
      answer(tookMs / 2, () => {
        this.#noteClock(stamp, sent);
        resolve(value);
      });
    });
    return promise;
  }

  #latencyMs(operation: Operation): number {
    const { chance } = this.#options, { least, most, slow } = LATENCY_MS[operation];
    return chance.happens(0.01) ? chance.between(most, slow) : chance.between(least, most);
  }

  #noteClock(stamp: number, sent: number): void {
    const { timeline: { now }, clockErrorMs } = this.#options;
    const received = Math.floor(now + clockErrorMs), took = now - sent;
    this.clockOffset = clockOffset({ stamp, resolution: RESOLUTION_MS, received, took });
  }
}

function folderOf(key: string): string {
  return key.slice(0, key.indexOf("/") + 1);
}
