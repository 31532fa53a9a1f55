import type { Clock } from "../lib/base/environment.ts";
import type {
  FailedDelete,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
} from "../lib/stores/store.ts";

/** As if keys were encrypted, and listed in the order of that: any order but theirs. */
export function shuffled(key: string): string {
  let hash = 7;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 16777619) >>> 0;
    hash ^= hash >>> 13;
  }
  return `${String(hash).padStart(10, "0")} ${key}`;
}

/** A store in memory, which several connections may share: what tests look into and tamper with. */
export class MemoryStore implements ObjectStore {
  readonly url = "memory:";
  /** What the store's clock is ahead of the one here. */
  clockOffset = 0;
  /** There is no bucket, as far as this store says. */
  isMissing = false;
  readonly requests: RequestCounts = { put: 0, get: 0, list: 0, delete: 0 };
  /** The objects, by key. */
  readonly objects = new Map<string, { body: Uint8Array; lastModified: number }>();
  /** How many GETs of a key find nothing, although it is there: a cache in front, a replica behind. */
  readonly hidden = new Map<string, number>();
  /** Whether the listing that is made lacks an object, although it is there. */
  lacks: (key: string) => boolean = () => false;
  /** What listings still show after it was deleted. */
  readonly stale = new Map<string, { body: Uint8Array; lastModified: number }>();
  /** Listings go by what this makes of keys, and so does `startAfter`: by default by the keys. */
  order: (key: string) => string = (key) => key;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  put(key: string, body: Uint8Array): Promise<void> {
    this.requests.put++;
    this.objects.set(key, { body, lastModified: this.#clock.now() });
    return Promise.resolve();
  }

  get(key: string): Promise<Uint8Array | undefined> {
    this.requests.get++;
    const misses = this.hidden.get(key) ?? 0;
    if (misses > 0) {
      this.hidden.set(key, misses - 1);
      return Promise.resolve(undefined);
    }
    return Promise.resolve(this.objects.get(key)?.body);
  }

  async *list(prefix: string, { startAfter = "" }: ListOptions = {}): AsyncIterable<ObjectInfo> {
    this.requests.list++;
    await Promise.resolve();
    const listed = new Map([...this.stale, ...this.objects]);
    const begin = startAfter && this.order(startAfter);
    const ordered = [...listed.keys()].map((key) => ({ key, place: this.order(key) }))
      .sort((a, b) => a.place < b.place ? -1 : 1);
    for (const { key, place } of ordered) {
      const object = listed.get(key);
      if (this.isMissing) return;
      if (!object || !key.startsWith(prefix) || place <= begin || this.lacks(key)) continue;
      yield { key, size: object.body.length, lastModified: object.lastModified };
    }
  }

  delete(keys: readonly string[]): Promise<FailedDelete[]> {
    this.requests.delete++;
    for (const key of keys) this.objects.delete(key);
    return Promise.resolve([]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
