import { decodeBody, type StoredUpdate } from "../../lib/log/codec.ts";
import { type ObjectName, parseKey } from "../../lib/log/names.ts";
import { decodeNewest, type NewestUpdate } from "../../lib/log/newest/body.ts";
import type { NewestName } from "../../lib/log/newest/names.ts";
import type { ObjectInfo } from "../../lib/stores/store.ts";
import { shuffled } from "../memory_store.ts";
import type { Timeline } from "./timeline.ts";

/** One update at one seq of one stream. */
export interface Place {
  readonly stream: string;
  readonly seq: number;
  readonly update: StoredUpdate;
  /** When it was first stored. */
  readonly stored: number;
  /** How many objects hold it now. */
  objects: number;
  /** Since when at least one does, or none does. */
  since: number;
  /** When at least one did. */
  readonly spans: { readonly from: number; to: number }[];
}

/** What listings and GETs show of an object. */
interface Shown {
  readonly name: { readonly key: string };
  readonly body: Uint8Array;
  readonly created: number;
  readonly lastModified: number;
  removed: number;
}

/** A commit or segment in the bucket, and which disk's process wrote it. */
export interface StoredObject extends Shown {
  readonly name: ObjectName;
  readonly places: readonly Place[];
  readonly writer: object;
}

/** What is kept for good of a feed. */
export interface KeptObject extends Shown {
  readonly name: NewestName;
  readonly update: NewestUpdate;
}

/** The longest that listings may lag, in milliseconds. */
const MEMORY = 1000;

/** The truth about the bucket: what is in it now, and what ever was. */
export class Bucket {
  readonly objects = new Map<string, StoredObject>();
  /** What is in `newest/`. */
  readonly kept = new Map<string, KeptObject>();
  /** What is there in `newest/` and is no update of anybody. */
  readonly forged = new Map<string, Shown>();
  marker: Uint8Array | undefined;
  /** What ever was at each seq of each stream: one update, unless a state was copied. */
  readonly streams = new Map<string, Map<number, Place[]>>();
  readonly #timeline: Timeline;
  readonly #plain: (body: Uint8Array) => Uint8Array;
  /** What listings, and `startAfter`, go by. */
  readonly #placeOf: (key: string) => string;
  #keys: readonly string[] | undefined;
  #removed: Shown[] = [];

  /** An empty one; `plain` returns what is in an object; listings are sorted, or in another order. */
  constructor(
    timeline: Timeline,
    plain: (body: Uint8Array) => Uint8Array,
    { isSorted }: { isSorted: boolean },
  ) {
    this.#placeOf = isSorted ? (key) => key : shuffled;
    this.#timeline = timeline;
    this.#plain = plain;
  }

  /** Stores an object that is well-formed. */
  put(key: string, body: Uint8Array, writer: object): StoredObject {
    const name = parseKey(key);
    if (!name) throw new Error(`The key ${key} is malformed`);
    const { now } = this.#timeline;
    const updates = decodeBody(name, this.#plain(body));
    const places = updates.map((update) => this.#place(name.stream, update));
    const old = this.objects.get(key);
    const created = old?.created ?? now;
    const object = { name, body, places, writer, created, lastModified: now, removed: Infinity };
    this.objects.set(key, object);
    for (const place of places) {
      if (place.objects++ > 0) continue;
      place.since = now;
      place.spans.push({ from: now, to: Infinity });
    }
    if (old) this.#forget(old);
    else this.#keys = undefined;
    return object;
  }

  /** Stores an object in `newest/` that is well-formed. */
  keep(name: NewestName, body: Uint8Array): KeptObject {
    const update = decodeNewest(name, this.#plain(body)), { now } = this.#timeline;
    const created = this.kept.get(name.key)?.created ?? now;
    const object = { name, body, update, created, lastModified: now, removed: Infinity };
    this.kept.set(name.key, object);
    this.#keys = undefined;
    return object;
  }

  /** Stores what looks like an object in `newest/`. */
  forge(key: string, body: Uint8Array): void {
    const { now } = this.#timeline;
    const times = { created: now, lastModified: now, removed: Infinity };
    this.forged.set(key, { name: { key }, body, ...times });
    this.#keys = undefined;
  }

  /** Deletes an object; returns it if it was there, and is somebody's. */
  delete(key: string): StoredObject | KeptObject | undefined {
    const object = this.objects.get(key), kept = this.kept.get(key);
    this.objects.delete(key);
    this.kept.delete(key);
    if (this.forged.delete(key)) this.#keys = undefined;
    if (object) this.#forget(object);
    const deleted = object ?? kept;
    if (!deleted) return undefined;
    this.#keys = undefined;
    deleted.removed = this.#timeline.now;
    this.#removed = this.#removed.filter(({ removed }) => removed >= deleted.removed - MEMORY);
    this.#removed.push(deleted);
    return deleted;
  }

  /** What is at a key. */
  bodyOf(key: string): Uint8Array | undefined {
    return this.#at(key)?.body;
  }

  /** A page of a listing, which shows the bucket as it was `lag` milliseconds ago, without some objects. */
  page(
    prefix: string,
    startAfter: string,
    { size, lag, lacks }: { size: number; lag: number; lacks: (key: string) => boolean },
  ): { items: ObjectInfo[]; more: boolean } {
    const items: ObjectInfo[] = [];
    const begin = startAfter && this.#placeOf(startAfter);
    for (const { name: { key }, body, lastModified } of this.#sorted(lag)) {
      if ((begin && this.#placeOf(key) <= begin) || !key.startsWith(prefix) || lacks(key)) continue;
      if (items.length === size) return { items, more: true };
      items.push({ key, size: body.length, lastModified });
    }
    return { items, more: false };
  }

  /** What is, or was, at a seq. */
  at(stream: string, seq: number): readonly Place[] {
    return this.streams.get(stream)?.get(seq) ?? [];
  }

  #at(key: string): Shown | undefined {
    return this.objects.get(key) ?? this.kept.get(key) ?? this.forged.get(key);
  }

  *#sorted(lag: number): Iterable<Shown> {
    const present: Shown[] = [this.objects, this.kept, this.forged].flatMap((
      map,
    ) => [...map.values()]);
    if (lag === 0) {
      this.#keys ??= this.#inOrder(present).map(({ name }) => name.key);
      for (const key of this.#keys) yield this.#at(key)!;
      return;
    }
    const then = this.#timeline.now - lag;
    const visible = [...present, ...this.#removed].filter(({ created, removed }) =>
      created <= then && removed > then
    );
    yield* this.#inOrder(visible);
  }

  #inOrder(objects: Iterable<Shown>): Shown[] {
    return Array.from(objects, (object) => ({ object, place: this.#placeOf(object.name.key) }))
      .sort((a, b) => a.place < b.place ? -1 : 1)
      .map(({ object }) => object);
  }

  #forget({ places }: StoredObject): void {
    for (const place of places) {
      if (--place.objects > 0) continue;
      place.since = place.spans.at(-1)!.to = this.#timeline.now;
    }
  }

  #place(stream: string, update: StoredUpdate): Place {
    const { seq } = update;
    let seqs = this.streams.get(stream);
    if (!seqs) this.streams.set(stream, seqs = new Map());
    let places = seqs.get(seq);
    if (!places) seqs.set(seq, places = []);
    let place = places.find(({ update: { id } }) => id === update.id);
    if (!place) {
      const { now } = this.#timeline;
      places.push(place = { stream, seq, update, stored: now, objects: 0, since: now, spans: [] });
    }
    return place;
  }
}
