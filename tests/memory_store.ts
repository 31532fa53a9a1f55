import type { Clock } from "../lib/environment.ts";
import type {
  FailedDelete,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
} from "../lib/stores/store.ts";

/** A store in memory, which several connections may share: what tests look into and tamper with. */
export class MemoryStore implements ObjectStore {
  readonly url = "memory:";
  readonly clockOffset = 0;
  readonly requests: RequestCounts = { put: 0, get: 0, list: 0, delete: 0 };
  /** The objects, by key. */
  readonly objects = new Map<string, { body: Uint8Array; lastModified: number }>();
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
    return Promise.resolve(this.objects.get(key)?.body);
  }

  async *list(prefix: string, { startAfter = "" }: ListOptions = {}): AsyncIterable<ObjectInfo> {
    this.requests.list++;
    await Promise.resolve();
    for (const key of [...this.objects.keys()].sort()) {
      if (!key.startsWith(prefix) || key <= startAfter) continue;
      const { body, lastModified } = this.objects.get(key)!;
      yield { key, size: body.length, lastModified };
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
