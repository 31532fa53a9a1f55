import { AccessDeniedError, StoreUnavailableError } from "../../lib/errors.ts";
import { clockOffset } from "../../lib/stores/meter.ts";
import type {
  FailedDelete,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  RequestCounts,
  StoreOptions,
} from "../../lib/stores/store.ts";
import { MARKER_KEY, parseKey, serverOf } from "../../lib/log/names.ts";
import { shuffled } from "../memory_store.ts";
import type { Bucket } from "./bucket.ts";
import type { Chance } from "./chance.ts";
import { type Fate, fateOf } from "./fate.ts";
import type { Mix } from "./mix.ts";
import type { Timeline } from "./timeline.ts";

/** A write that was reported as failed lands within so many milliseconds. */
const LATEST = 60_000;

/** The store's own timeout: so long a request hangs at most, in milliseconds. */
const STORE_TIMEOUT = 60_000;

/** For so many milliseconds a GET finds nothing once it did not: a cache remembers that. */
const MISSED = [0, 1000, 5000, 60_000, 4 * 60_000];

/** The replica that lags answers with this probability, and a listing at most so often in a row. */
const STALE = 0.6, MOST_STALE = 2;

/** What a store stands on in a simulated process. */
export interface StoreHost {
  readonly bucket: Pick<Bucket, "marker" | "objects" | "bodyOf" | "page">;
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly mix: Pick<Mix, "faults" | "latency" | "pageSize" | "lag" | "replicaLag">;
  /** Until when GETs find nothing at a key, as far as that was drawn. */
  readonly hiddenUntil: Map<string, number>;
  /** The server whose process it is: no replica lacks what it has written itself. */
  readonly server: string;
  /** Whether the process has entered the streams: before that, no replica lacks anything. */
  hasEntered(): boolean;
  /** Milliseconds that the process's clock is ahead. */
  clockError(): number;
  /** Whether the process lives. */
  alive(): boolean;
  /** Whether the store can be reached from the process. */
  reachable(): boolean;
  /** The process stores an object. */
  put(key: string, body: Uint8Array): void;
  /** The process asks for objects to be deleted. */
  deleting(keys: readonly string[]): void;
  /** Objects are deleted. */
  delete(keys: readonly string[]): void;
  /** For the trace. */
  note(what: string, fate: Fate): void;
}

/** The store as one process sees it. */
export class StoreView implements ObjectStore {
  readonly url = "sim:";
  readonly requests: RequestCounts = { put: 0, get: 0, list: 0, delete: 0 };
  clockOffset: number | undefined;
  /** When the last listing of the tail, or of the segments of a stream, was begun. */
  readonly listings = new Map<string, number>();
  readonly #host: StoreHost;
  /** What was cut short the last time. */
  readonly #cut = new Set<string>();
  /** How many listings of a prefix in a row came from the replica that lags. */
  readonly #stale = new Map<string, number>();

  constructor(host: StoreHost) {
    this.#host = host;
  }

  put(key: string, body: Uint8Array, options: StoreOptions = {}): Promise<void> {
    this.requests.put++;
    return this.#request(`PUT ${key}`, "write", () => this.#host.put(key, body), options);
  }

  async get(key: string, options: StoreOptions = {}): Promise<Uint8Array | undefined> {
    this.requests.get++;
    const { bucket, chance, mix } = this.#host;
    const isStale = this.#mayLag() && chance.happens(STALE);
    const read = () => {
      if (this.#isHidden(key) || isStale && this.#lacks(key)) return undefined;
      return key === MARKER_KEY ? bucket.marker : bucket.bodyOf(key);
    };
    const body = await this.#request(`GET ${key}`, "read", read, options);
    // Not twice in a row: what is damaged on the way is read once more, and then taken for damaged.
    const isCut = chance.happens(mix.faults.cut) && !this.#cut.has(key);
    if (isCut) this.#cut.add(key);
    else this.#cut.delete(key);
    if (!body || !isCut) return body;
    return body.subarray(0, chance.whole(0, body.length - 1));
  }

  #isHidden(key: string): boolean {
    const { chance, mix: { faults }, timeline, hiddenUntil } = this.#host;
    if (faults.missed === 0) return false;
    const until = hiddenUntil.get(key);
    if (until !== undefined) return timeline.now < until;
    const isHidden = chance.happens(faults.missed);
    hiddenUntil.set(key, isHidden ? timeline.now + chance.pick(MISSED) : 0);
    return isHidden;
  }

  #mayLag(): boolean {
    return this.#host.mix.replicaLag > 0 && this.#host.hasEntered();
  }

  #isListingStale(prefix: string): boolean {
    if (!this.#mayLag()) return false;
    const before = this.#stale.get(prefix) ?? 0;
    const isStale = before < MOST_STALE && this.#host.chance.happens(STALE);
    this.#stale.set(prefix, isStale ? before + 1 : 0);
    return isStale;
  }

  /** Whether the replica that lags lacks an object: two thirds of them it has at once. */
  #lacks(key: string): boolean {
    const { bucket, mix: { replicaLag }, server, timeline } = this.#host;
    const object = bucket.objects.get(key), name = parseKey(key);
    if (!object || !name || serverOf(name.stream) === server) return false;
    const part = (parseInt(shuffled(key), 10) % 1000) / 1000;
    return part < 0.33 && timeline.now < object.created + 3 * part * replicaLag;
  }

  async *list(
    prefix: string,
    { startAfter = "", signal }: ListOptions = {},
  ): AsyncIterable<ObjectInfo> {
    const { bucket, chance, mix, timeline } = this.#host;
    const lag = chance.between(0, mix.lag);
    const isStale = this.#isListingStale(prefix),
      lacks = (key: string) => isStale && this.#lacks(key);
    this.listings.set(prefix, timeline.now);
    for (let after = startAfter;;) {
      this.requests.list++;
      const read = () => bucket.page(prefix, after, { size: mix.pageSize, lag, lacks });
      const { items, more } = await this.#request(`LIST ${prefix}`, "read", read, { signal });
      const cut = chance.happens(mix.faults.cut) ? chance.whole(0, items.length) : undefined;
      yield* items.slice(0, cut);
      if (cut !== undefined) throw new StoreUnavailableError(`Listing ${prefix} was cut short`);
      if (!more) return;
      after = items[items.length - 1].key;
    }
  }

  async delete(
    keys: readonly string[],
    { signal }: StoreOptions = {},
  ): Promise<FailedDelete[]> {
    this.requests.delete++;
    this.#host.deleting(keys);
    const { chance, mix, timeline } = this.#host;
    const failed = chance.happens(mix.faults.partialDelete)
      ? keys.filter(() => chance.happens(0.4))
      : [];
    const error = new StoreUnavailableError("A key could not be deleted");
    const remove = () => {
      this.#host.delete(keys.filter((key) => !failed.includes(key)));
      const late = failed.filter(() => chance.happens(0.4));
      if (late.length > 0) {
        timeline.after(chance.between(0, LATEST), () => this.#host.delete(late));
      }
    };
    try {
      await this.#request(`DELETE ${keys.join(" ")}`, "write", remove, { signal });
      return failed.map((key) => ({ key, error }));
    } catch (error) {
      signal?.throwIfAborted();
      return keys.map((key) => ({ key, error: error as Error }));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  /** Sends a request: it takes effect at the store after a while, the answer comes after another. */
  #request<T>(
    what: string,
    kind: "read" | "write",
    effect: () => T,
    { signal }: StoreOptions,
  ): Promise<T> {
    const { timeline, chance, mix, clockError } = this.#host;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const fate = fateOf(kind, this.#host);
    this.#host.note(what, fate);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const sent = timeline.now;
    const onAbort = () => reject(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const answer = (settle: () => void) => {
      const delay = fate === "hang" ? STORE_TIMEOUT : chance.between(1, mix.latency);
      timeline.after(delay, () => {
        if (!this.#host.alive()) return;
        signal?.removeEventListener("abort", onAbort);
        settle();
      });
    };
    const fail = () => reject(errorFor(fate, what));
    timeline.after(chance.between(1, mix.latency), () => {
      if (!this.#host.alive() && chance.happens(0.5)) return; // It never left the process.
      if (fate === "refused" || fate === "denied" || fate === "late" || fate === "hang") {
        answer(fail);
        if (kind === "write" && (fate === "late" || (fate === "hang" && chance.happens(0.5)))) {
          timeline.after(chance.between(0, chance.pick([100, 5000, LATEST])), effect);
        }
        return;
      }
      const value = effect();
      const stamp = Math.floor(timeline.now / 1000) * 1000;
      answer(() => {
        if (fate === "answerLost") return fail();
        const received = Math.floor(timeline.now + clockError());
        const took = timeline.now - sent;
        this.clockOffset = clockOffset({ stamp, resolution: 1000, received, took });
        resolve(value);
      });
    });
    return promise;
  }
}

function errorFor(fate: Fate, what: string): Error {
  return fate === "denied"
    ? new AccessDeniedError(`Cannot ${what}: 403`)
    : new StoreUnavailableError(`Cannot ${what}: ${fate}`);
}
