/**
 * The inbox: updates that wait for consumers, in the order in which they are handed out.
 *
 * Updates are taken in as soon as they are read, in the transaction that notes them as known,
 * before the first plugin is called. So plugins do not hold consumers up. The inbox notes for each
 * stream how far it has come, in the same transaction: after a crash, the cursor of the plugins may
 * have the same updates read again, which are then not taken in again.
 *
 * @module
 */
import { feedIdentity } from "../feed_url.ts";
import type { Random } from "../base/environment.ts";
import type { Gap } from "../update.ts";
import type { Database } from "./database.ts";
import { InboxEpochs } from "./inbox_epochs.ts";

/** An update for consumers. */
export interface InboxUpdate {
  readonly id: string;
  readonly url: string;
  /** Milliseconds since 1970, by the store's clock. */
  readonly time: number;
  readonly stream: string;
  readonly seq: number;
  /** Its JSON without `seq`, `id`, `url` and `time`, and without braces. */
  readonly body: string;
}

/** What a line of the inbox is. */
export type LineKind =
  | "update"
  /** Updates that this server never had. */
  | "gap"
  /** Updates that were dropped unread. */
  | "lost"
  /** The same, but newer updates of their feeds are known. */
  | "superseded";

/** A line of the inbox. */
export interface InboxLine extends InboxUpdate {
  /** Its number; the order of lines. */
  readonly row: number;
  readonly kind: LineKind;
  /** The last seq of a gap. */
  readonly last: number;
  readonly restored: number;
  /** Whether a newer update of the feed is known now: 1 or 0. */
  readonly superseded: number;
}

/** Bytes of a row besides its texts. */
export const ROW_BYTES = 150;

/** Whether a newer update of the feed of a row in the inbox is known. */
export const IS_SUPERSEDED = `EXISTS (SELECT 1 FROM newest
  WHERE newest.url = coalesce(inbox.feed, inbox.url)
  AND (newest.time, newest.id) > (inbox.time, inbox.id))`;

const LINES = `SELECT row, kind, id, url, time, stream, seq, last, restored, body,
  kind = 'update' AND ${IS_SUPERSEDED} AS superseded
  FROM inbox WHERE row > ? AND kind <> 'start' AND (own = 0 OR ?) ORDER BY row LIMIT ?`;

/** Takes updates in, and hands lines out. All methods that write must be called in a transaction. */
export class Inbox {
  readonly #epochs: InboxEpochs;
  readonly #listeners = new Set<() => void>();
  /** Streams of which an object is being applied, with its last seq. */
  readonly #applying = new Map<string, number>();
  readonly #isWanted;
  readonly #insert;
  readonly #insertMark;
  readonly #taken;
  readonly #setTaken;
  readonly #enter;
  readonly #forgetStreams;
  readonly #enterOwn;
  readonly #takenOwnRow;
  readonly #setTakenOwnRow;
  readonly #ownStreams;
  readonly #grow;
  readonly #bytes;
  readonly #lines;
  readonly #kindOf;
  readonly #awaits;
  readonly #firstRow;
  readonly #waitingSince;
  readonly #lastRow;

  constructor(db: Database, random: Random) {
    this.#epochs = new InboxEpochs(db, random);
    this.#isWanted = db.prepare("SELECT 1 FROM consumers LIMIT 1");
    this.#insert = db.prepare(
      `INSERT OR IGNORE INTO inbox
       (kind, id, stream, seq, url, feed, time, own, restored, arrivedAt, bytes, body)
       VALUES ('update', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertMark = db.prepare(
      "INSERT INTO inbox (kind, stream, seq, last, arrivedAt, bytes) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#taken = db.prepare("SELECT seq FROM inbox_streams WHERE stream = ?");
    this.#setTaken = db.prepare("INSERT OR REPLACE INTO inbox_streams (stream, seq) VALUES (?, ?)");
    this.#enter = db.prepare(
      "INSERT OR REPLACE INTO inbox_streams (stream, seq) SELECT stream, seq FROM cursors",
    );
    this.#forgetStreams = db.prepare("DELETE FROM inbox_streams");
    this.#enterOwn = db.prepare(
      `INSERT OR REPLACE INTO meta (key, value)
       SELECT 'inboxOwnRow', uploaded FROM publisher`,
    );
    this.#takenOwnRow = db.prepare("SELECT value FROM meta WHERE key = 'inboxOwnRow'");
    this.#setTakenOwnRow = db.prepare(
      "INSERT OR REPLACE INTO meta (key, value) VALUES ('inboxOwnRow', ?)",
    );
    this.#ownStreams = db.prepare("SELECT 1 FROM publisher WHERE stream = ?");
    this.#grow = db.prepare(
      `INSERT INTO meta (key, value) VALUES ('inboxBytes', ?1)
       ON CONFLICT DO UPDATE SET value = value + ?1`,
    );
    this.#bytes = db.prepare("SELECT value FROM meta WHERE key = 'inboxBytes'");
    this.#lines = db.prepare(LINES);
    this.#kindOf = db.prepare("SELECT kind FROM inbox WHERE row = ?");
    this.#awaits = db.prepare("SELECT 1 FROM inbox WHERE id = ? AND row > ? AND (own = 0 OR ?)");
    this.#firstRow = db.prepare("SELECT min(row) AS row FROM inbox");
    this.#waitingSince = db.prepare(
      `SELECT arrivedAt FROM inbox WHERE row > ? AND kind <> 'start' AND (own = 0 OR ?)
       ORDER BY row LIMIT 1`,
    );
    this.#lastRow = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'inbox'");
  }

  /** Whether there are consumers: without any, nothing is taken in. */
  isWanted(): boolean {
    return this.#isWanted.get() !== undefined;
  }

  /** Calls `listener` soon after lines were added by this process; the result ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Notes that the updates of a stream up to `last` are being applied. */
  beginApplying(stream: string, last: number): void {
    this.#applying.set(stream, last);
  }

  /** The last seq of the stream that is being applied; 0 when none is. */
  applying(stream: string): number {
    return this.#applying.get(stream) ?? 0;
  }

  /** Notes that no updates of the stream are being applied any more. */
  endApplying(stream: string): void {
    this.#applying.delete(stream);
  }

  /** Up to which seq a stream was taken in; undefined when nothing of it was. */
  taken(stream: string): number | undefined {
    return this.#taken.get(stream)?.seq as number | undefined;
  }

  /**
   * Takes in consecutive updates of a stream, unless it has done so before. `last` is the seq of the
   * last one, since some may have been left out.
   */
  take(
    stream: string,
    updates: readonly InboxUpdate[],
    { first, last, now }: { readonly first: number; readonly last: number; readonly now: number },
  ): void {
    const taken = this.taken(stream);
    this.currentEpoch();
    // An older version has moved the cursor without the inbox.
    if (taken !== undefined && first > taken + 1) {
      this.#mark("lost", { stream, first: taken + 1, last: first - 1 }, now);
    }
    if (taken !== undefined && taken >= last) return;
    const isOwn = this.#ownStreams.get(stream) !== undefined; // These come when they are uploaded.
    const fresh = isOwn ? [] : updates.filter(({ seq }) => seq > (taken ?? 0));
    this.#add(fresh, { now, isOwn: false, isRestored: false });
    this.#setTaken.run(stream, last);
  }

  /** Takes in that updates were lost before they could be taken in. */
  lose(gap: Gap, now: number): void {
    this.currentEpoch();
    this.#mark("lost", gap, now);
  }

  /** Takes in a gap in a stream, unless it has done so before. */
  takeGap({ stream, first, last }: Gap, now: number): void {
    const taken = this.taken(stream) ?? first - 1;
    if (taken >= last) return;
    this.currentEpoch();
    this.#mark("gap", { stream, first: Math.max(first, taken + 1), last }, now);
    this.#setTaken.run(stream, last);
  }

  /** Takes in an update that is restored, unless it waits here already. */
  takeRestored(update: InboxUpdate, now: number): void {
    this.currentEpoch();
    this.#add([update], { now, isOwn: false, isRestored: true });
  }

  /** Takes in own updates, unless they wait here already. */
  takeOwn(updates: readonly InboxUpdate[], now: number): void {
    this.currentEpoch();
    this.#add(updates, { now, isOwn: true, isRestored: false });
  }

  /** The last row of the outbox that was taken in. */
  takenOwnRow(): number {
    return Number(this.#takenOwnRow.get()?.value ?? 0);
  }

  /** Notes the last row of the outbox that was taken in. */
  setTakenOwnRow(row: number): void {
    this.#setTakenOwnRow.run(row);
  }

  /** Begins to take in what comes after the cursors, for the first consumer. */
  enter(): void {
    this.#enter.run();
    for (const [stream, last] of this.#applying) this.#setTaken.run(stream, last);
  }

  /** Begins to take in own updates that are uploaded from now on. */
  enterOwn(): void {
    this.#enterOwn.run();
  }

  /** Forgets how far it has come, after the last consumer. */
  leave(): void {
    this.#forgetStreams.run();
  }

  /** Adds a row that no consumer is handed, and returns its number. */
  addStart(now: number): number {
    this.currentEpoch();
    const { lastInsertRowid } = this.#insertMark.run("start", null, 0, 0, now, ROW_BYTES);
    this.#grow.run(ROW_BYTES);
    return Number(lastInsertRowid);
  }

  /** The lines after `row`, for a consumer that wants own updates or not. Stop iterating early. */
  *lines(
    row: number,
    { own, limit }: { readonly own: boolean; readonly limit: number },
  ): Iterable<InboxLine> {
    for (const line of this.#lines.iterate(row, Number(own), limit)) {
      yield line as unknown as InboxLine;
    }
  }

  /** What the row is; undefined when it is gone. */
  kindOf(row: number): LineKind | "start" | undefined {
    return this.#kindOf.get(row)?.kind as LineKind | "start" | undefined;
  }

  /** Whether the update is in a line after `row`. */
  awaits(id: string, { row, own }: { readonly row: number; readonly own: boolean }): boolean {
    return this.#awaits.get(id, row, Number(own)) !== undefined;
  }

  /** The lowest number of a row that is still here; one more than the last when there is none. */
  firstRow(): number {
    return Number(this.#firstRow.get()!.row ?? this.lastRow() + 1);
  }

  /** When the oldest line after `row` arrived; undefined when there is none. */
  waitingSince(row: number, { own }: { readonly own: boolean }): number | undefined {
    return this.#waitingSince.get(row, Number(own))?.arrivedAt as number | undefined;
  }

  /** The highest number of a row so far; 0 before the first. */
  lastRow(): number {
    return Number(this.#lastRow.get()?.seq ?? 0);
  }

  /** Approximate size in bytes. */
  bytes(): number {
    return Number(this.#bytes.get()?.value ?? 0);
  }

  /** The epoch of a row: another one after a restart, a crash, or a restore of the state. */
  epochAt(row: number): string | undefined {
    return this.#epochs.at(row);
  }

  /** The epoch of this process; undefined before it has begun. */
  ownEpoch(): string | undefined {
    return this.#epochs.own();
  }

  /** The epoch of this process, which is begun if need be. */
  currentEpoch(): string {
    return this.#epochs.begin(this.lastRow() + 1);
  }

  #add(
    updates: readonly InboxUpdate[],
    { now, isOwn, isRestored }: { now: number; isOwn: boolean; isRestored: boolean },
  ): void {
    let bytes = 0;
    const flags = [Number(isOwn), Number(isRestored), Math.round(now)] as const;
    for (const { id, stream, seq, url, time, body } of updates) {
      const identity = feedIdentity(url), feed = identity === url ? null : identity;
      const size = ROW_BYTES + body.length + url.length + (feed?.length ?? 0);
      const { changes } = this.#insert.run(id, stream, seq, url, feed, time, ...flags, size, body);
      if (changes > 0) bytes += size;
    }
    if (bytes > 0) this.#grow.run(bytes);
    this.#announce();
  }

  #mark(kind: "gap" | "lost", { stream, first, last }: Gap, now: number): void {
    this.#insertMark.run(kind, stream, first, last, Math.round(now), ROW_BYTES);
    this.#grow.run(ROW_BYTES);
    this.#announce();
  }

  /** Tells the listeners, once the transaction of the caller has ended. */
  #announce(): void {
    queueMicrotask(() => this.#listeners.forEach((listener) => listener()));
  }
}
