import type { Clock } from "../lib/base/environment.ts";
import type {
  FailedDelete,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
  StoreOptions,
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

/** What a {@linkcode Hook} can be put around. */
type Operation = "put" | "get" | "list" | "delete";

/**
 * What happens at an operation: it is waited for, and what it throws fails the operation. Gets the key, of a
 * listing the prefix; called for each key of a delete, which fails for that key alone.
 */
type Hook = (key: string, signal: AbortSignal | undefined) => unknown;

interface HookOptions {
  /** How often it is called. @default always */
  readonly times?: number;
}

/** A hook that fails the operation. */
export function failing(error: Error): Hook {
  return () => Promise.reject(error);
}

/** A hook that holds the operation up until it is aborted, and then fails it, with its reason or this error. */
export function hanging(error?: Error): Hook {
  return (_key, signal) =>
    new Promise((_, reject) => {
      const fail = () => reject(error ?? signal?.reason);
      if (signal?.aborted) fail();
      else signal?.addEventListener("abort", fail, { once: true });
    });
}

/** A store in memory, which several connections may share: what tests look into and tamper with. */
export class MemoryStore implements ObjectStore {
  readonly url: string = "memory:";
  /** What the store's clock is ahead of the one here. */
  clockOffset = 0;
  /** What it promises of its listings. */
  listsAtOnce = false;
  readonly requests: RequestCounts = { put: 0, get: 0, list: 0, delete: 0 };
  /** The objects, by key. */
  readonly objects = new Map<string, { body: Uint8Array; lastModified: number }>();
  /** How many GETs of a key find nothing, although it is there: a cache in front, a replica behind. */
  readonly hidden = new Map<string, number>();
  /** Keys that listings do not show, although they are there. */
  readonly unlisted = new Set<string>();
  /** Whether the listing that is made lacks an object, although it is there. */
  lacks: (key: string) => boolean = () => false;
  /** What listings still show after it was deleted. */
  readonly stale = new Map<string, { body: Uint8Array; lastModified: number }>();
  /** Listings go by what this makes of keys, and so does `startAfter`: by default by the keys. */
  order: (key: string) => string = (key) => key;
  readonly #clock: Clock;
  readonly #hooks = new Map<string, Set<Hook>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has `hook` called before an operation takes effect; the returned function ends that. */
  before(operation: Operation, hook: Hook, options?: HookOptions): () => void {
    return this.#hook(`before ${operation}`, hook, options);
  }

  /**
   * Has `hook` called after an operation took effect and before it is answered: a write is stored, a listing
   * shows what was there before. The returned function ends that.
   */
  after(operation: Operation, hook: Hook, options?: HookOptions): () => void {
    return this.#hook(`after ${operation}`, hook, options);
  }

  #hook(moment: string, hook: Hook, { times = Infinity }: HookOptions = {}): () => void {
    const hooks = this.#hooksAt(moment);
    let left = times;
    const counted: Hook = (...args) => {
      if (--left <= 0) hooks.delete(counted);
      return hook(...args);
    };
    hooks.add(counted);
    return () => void hooks.delete(counted);
  }

  #hooksAt(moment: string): Set<Hook> {
    const hooks = this.#hooks.get(moment) ?? new Set();
    this.#hooks.set(moment, hooks);
    return hooks;
  }

  async put(key: string, body: Uint8Array, { signal }: StoreOptions = {}): Promise<void> {
    this.requests.put++;
    for (const hook of this.#hooksAt("before put")) await hook(key, signal);
    this.objects.set(key, { body, lastModified: this.#clock.now() });
    for (const hook of this.#hooksAt("after put")) await hook(key, signal);
  }

  async get(key: string, { signal }: StoreOptions = {}): Promise<Uint8Array | undefined> {
    this.requests.get++;
    for (const hook of this.#hooksAt("before get")) await hook(key, signal);
    const body = this.#bodyOf(key);
    for (const hook of this.#hooksAt("after get")) await hook(key, signal);
    return body;
  }

  #bodyOf(key: string): Uint8Array | undefined {
    const misses = this.hidden.get(key) ?? 0;
    if (misses === 0) return this.objects.get(key)?.body;
    this.hidden.set(key, misses - 1);
    return undefined;
  }

  async *list(
    prefix: string,
    { startAfter = "", signal }: ListOptions = {},
  ): AsyncIterable<ObjectInfo> {
    this.requests.list++;
    await Promise.resolve();
    for (const hook of this.#hooksAt("before list")) await hook(prefix, signal);
    const listed = new Map([...this.stale, ...this.objects]);
    for (const key of this.unlisted) listed.delete(key);
    for (const hook of this.#hooksAt("after list")) await hook(prefix, signal);
    const begin = startAfter && this.order(startAfter);
    const ordered = [...listed.keys()].map((key) => ({ key, place: this.order(key) }))
      .sort((a, b) => a.place < b.place ? -1 : 1);
    for (const { key, place } of ordered) {
      const object = listed.get(key);
      if (!object || !key.startsWith(prefix) || place <= begin || this.lacks(key)) continue;
      yield { key, size: object.body.length, lastModified: object.lastModified };
    }
  }

  async delete(
    keys: readonly string[],
    { signal }: StoreOptions = {},
  ): Promise<FailedDelete[]> {
    this.requests.delete++;
    const failed: FailedDelete[] = [];
    for (const key of keys) {
      try {
        for (const hook of this.#hooksAt("before delete")) await hook(key, signal);
        this.objects.delete(key);
        for (const hook of this.#hooksAt("after delete")) await hook(key, signal);
      } catch (error) {
        failed.push({ key, error: error as Error });
      }
    }
    return failed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
