import { parsePresenceKey } from "../../../lib/log/fleet/names.ts";
import type { ObjectInfo } from "../../../lib/stores/store.ts";
import type { Timeline } from "../timeline.ts";

/** An object as it was for some time. */
interface Version {
  readonly key: string;
  readonly body: Uint8Array;
  readonly from: number;
  /** The process that wrote it. */
  readonly writer: object;
  to: number;
}

/** What was deleted stays known for so long: listings lag by no more. */
const MEMORY_MS = 60_000;

/** For so long an interval counts that a presence has named: others go by it. */
const INTERVAL_MEMORY_MS = 30 * 60_000;

/** What is in the bucket, and was of late. */
export class FleetBucket {
  readonly #timeline: Timeline;
  readonly #objects = new Map<string, Version>();
  #former: Version[] = [];
  /** The intervals that presences have named of late. */
  #intervals: { readonly time: number; readonly intervalMs: number }[] = [];

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** Keys of all objects with this prefix. */
  keys(prefix: string): string[] {
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix));
  }

  /** The process that wrote what is at a key. */
  writerOf(key: string): object | undefined {
    return this.#objects.get(key)?.writer;
  }

  /** What is at a key. */
  bodyOf(key: string): Uint8Array | undefined {
    return this.#objects.get(key)?.body;
  }

  /** The longest interval that a presence names, or has named of late, in milliseconds. */
  get longestInterval(): number {
    const { now } = this.#timeline, limit = now - INTERVAL_MEMORY_MS;
    this.#intervals = this.#intervals.filter(({ time }) => time > limit);
    const shown = this.keys("present/").map((key) => intervalIn(key));
    return Math.max(0, ...this.#intervals.map(({ intervalMs }) => intervalMs), ...shown);
  }

  /** Stores an object. */
  put(key: string, body: Uint8Array, writer: object): void {
    const { now } = this.#timeline, intervalMs = intervalIn(key);
    this.delete(key);
    this.#objects.set(key, { key, body, from: now, writer, to: Infinity });
    const isKnown = this.#intervals.at(-1)?.intervalMs === intervalMs;
    if (isKnown) this.#intervals.pop();
    if (intervalMs > 0) this.#intervals.push({ time: now, intervalMs });
  }

  /** Deletes an object. */
  delete(key: string): void {
    const { now } = this.#timeline, object = this.#objects.get(key);
    if (!object) return;
    this.#objects.delete(key);
    object.to = now;
    this.#former = this.#former.filter(({ to }) => to > now - MEMORY_MS);
    this.#former.push(object);
  }

  /** A page of a listing, which shows the bucket as it was `lag` milliseconds ago. */
  page(
    prefix: string,
    startAfter: string,
    { size, lag }: { readonly size: number; readonly lag: number },
  ): { items: ObjectInfo[]; more: boolean } {
    const then = this.#timeline.now - lag;
    const shown = [...this.#objects.values(), ...lag > 0 ? this.#former : []]
      .filter(({ key, from, to }) =>
        from <= then && to > then && key.startsWith(prefix) && key > startAfter
      )
      .sort((a, b) => a.key < b.key ? -1 : 1);
    const items = shown.slice(0, size)
      .map(({ key, body, from }) => ({ key, size: body.length, lastModified: from }));
    return { items, more: shown.length > size };
  }
}

function intervalIn(key: string): number {
  return (parsePresenceKey(key)?.interval ?? 0) * 1000;
}
