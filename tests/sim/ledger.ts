import { feedIdentity } from "../../lib/feed_url.ts";
import { compareUpdates, isPlausible, type OrderedUpdate } from "../../lib/log/update_order.ts";
import type { OutboxRow } from "../../lib/state/outbox.ts";
import type { Bucket, Place, StoredObject } from "./bucket.ts";
import type { Disk, Family } from "./disk.ts";

/** An update whose row was committed: from then on it is promised to arrive. */
export interface AcceptedUpdate {
  readonly id: string;
  readonly url: string;
  /** Undefined: the feed is gone. */
  readonly content: unknown;
  readonly row: number;
}

/** What tells an update from all others: its content, or its number. */
export function markOf(
  { content, metadata }: { readonly content?: unknown; readonly metadata?: unknown },
): unknown {
  return content ?? (metadata as { number?: number } | undefined)?.number;
}

/** An update that was stored. */
export interface StoredVersion extends OrderedUpdate {
  readonly isRemoval: boolean;
  /** Whether its publisher can have meant its time. */
  readonly isPlausible: boolean;
}

/** A cleanup is over after so many milliseconds. */
const FORGOTTEN = 5 * 60_000;

/** What was promised, and what is outside of the promise. */
export class Ledger {
  /** How many updates were given to publish(). */
  published = 0;
  readonly accepted = new Map<string, AcceptedUpdate>();
  /** By what tells them apart, see {@linkcode markOf}. */
  readonly byMark = new Map<unknown, AcceptedUpdate>();
  /** Updates that were queued, but not uploaded, on a disk that is gone. */
  readonly lost = new Set<string>();
  /** Streams that two states wrote to for longer than the retention without noticing. */
  readonly unnoticed = new Set<string>();
  /** Ids of the updates of each stream that have expired. */
  readonly #expired = new Map<string, Set<string>>();
  /** The newest update of each feed that was ever in the bucket. */
  readonly newest = new Map<string, StoredVersion>();
  /** All updates of each feed that were ever in the bucket. */
  readonly stored = new Map<string, Map<string, StoredVersion>>();
  /** When something of a feed was deleted that nobody kept. */
  readonly #forgotten = new Map<string, number>();
  /** Whose streams they are. */
  readonly families = new Map<string, Family>();

  /** How many updates are outside of the promise, besides those on a disk that is gone. */
  get outside(): number {
    return this.unnoticed.size;
  }

  /** A row was committed. */
  accept(disk: Disk, { row, id, url, body }: OutboxRow): AcceptedUpdate {
    const stored = JSON.parse(`{${body}}`), { content } = stored;
    const update = { id, url, content, row };
    this.accepted.set(id, update);
    this.byMark.set(markOf(stored), update);
    disk.accepted.add(id);
    disk.unsynced.add(id);
    return update;
  }

  /** An object is stored: what is in it may be the newest of its feed. */
  noteNewest({ places, lastModified }: StoredObject): void {
    for (const { update: { url, id, time, removed } } of places) {
      const feed = feedIdentity(url);
      const order = {
        id,
        time: Date.parse(time),
        isRemoval: removed === true,
        isPlausible: isPlausible(Date.parse(time), lastModified),
      };
      const known = this.newest.get(feed);
      this.stored.set(feed, (this.stored.get(feed) ?? new Map()).set(id, order));
      if (!order.isPlausible) continue;
      if (!known || compareUpdates(order, known) > 0) this.newest.set(feed, order);
    }
  }

  /** The newest of these feeds go, and nobody keeps them. */
  forget(places: readonly Place[], now: number): void {
    for (const { update: { id, url } } of places) {
      this.#forgotten.set(feedIdentity(url), now);
      this.gone.add(id);
    }
  }

  /** What is gone, and was kept by nobody; it may come again. */
  readonly gone = new Set<string>();
  /** Whether somebody may still clean up who saw what was forgotten a short time ago. */
  isForgotten(feed: string, now: number): boolean {
    return now - (this.#forgotten.get(feed) ?? -Infinity) < FORGOTTEN;
  }

  /** Of feeds of which something was forgotten a short time ago, the newest is what is left. */
  recount({ objects, kept }: Bucket, now: number): void {
    const feeds = [...this.#forgotten.keys()].filter((feed) => this.isForgotten(feed, now));
    for (const feed of feeds) this.newest.delete(feed);
    const take = ({ url, id }: { readonly url: string; readonly id: string }) => {
      const feed = feedIdentity(url);
      if (!feeds.includes(feed)) return;
      const version = this.stored.get(feed)!.get(id)!, known = this.newest.get(feed);
      if (!version.isPlausible || known && compareUpdates(version, known) <= 0) return;
      this.newest.set(feed, version);
    };
    for (const { places } of objects.values()) for (const { update } of places) take(update);
    for (const { update } of kept.values()) take(update);
  }

  /** A disk has lost updates: what was uploaded is promised still, and what others hold, too. */
  lose(ids: Iterable<string>, others: readonly Disk[], { streams }: Bucket): void {
    const stored = new Set<string>();
    for (const seqs of streams.values()) {
      for (const places of seqs.values()) for (const { update } of places) stored.add(update.id);
    }
    for (const id of ids) {
      if (!stored.has(id) && !others.some((disk) => disk.holds(id))) this.lost.add(id);
    }
  }

  /**
   * An object has expired. When another state still writes to its stream and never saw it, this is
   * a copy that nobody noticed for longer than the retention.
   */
  noteExpired({ name, writer, places }: StoredObject, disks: readonly Disk[]): void {
    const expired = this.#expired.get(name.stream) ?? new Set();
    this.#expired.set(name.stream, expired);
    for (const { update } of places) expired.add(update.id);
    for (const disk of disks) {
      const unseen = disk !== writer && disk.stream === name.stream;
      if (unseen && places.some(({ update }) => !disk.accepted.has(update.id))) {
        this.unnoticed.add(name.stream);
      }
    }
  }

  /** A state begins as a backup was. If what it never saw has expired, nothing tells it so. */
  noteRestored({ stream, accepted }: Disk): void {
    const expired = [...this.#expired.get(stream) ?? []];
    if (expired.some((id) => !accepted.has(id))) this.unnoticed.add(stream);
  }
}
