/**
 * Cursors: how far each stream has been read, and how far it is known to reach.
 *
 * @module
 */
import { asSeq, type Seq, type SeqNumber } from "../log/positions.ts";
import type { Database } from "./database.ts";

/** That a stream waits for what only the operator can mend: a key, or an upgrade. */
export interface LockedStream {
  /** The cursor: what is behind it was not read. */
  readonly after: number;
  /** What came of reading on. */
  readonly reason: string;
}

/** The last applied seq of each stream. */
export class Cursors {
  readonly #get;
  readonly #enter;
  readonly #setBacks = new Map<string, number>();
  readonly #advance;
  readonly #setBack;
  readonly #setInboxBack;
  readonly #hold;
  readonly #noteReach;
  readonly #noteEnd;
  readonly #unread;
  readonly #giveUp;
  readonly #waiting;
  readonly #any;
  readonly #furthestBehind;
  readonly #noteLocked;
  readonly #noteUnlocked;
  readonly #locked;

  constructor(db: Database) {
    this.#get = db.prepare("SELECT seq, heldSince, reach FROM cursors WHERE stream = ?");
    this.#enter = db.prepare("INSERT OR IGNORE INTO cursors (stream, seq) VALUES (?, ?)");
    this.#advance = db.prepare(
      `INSERT INTO cursors (stream, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET
       heldSince = NULL, seq = excluded.seq WHERE seq = ?`,
    );
    this.#setBack = db.prepare(
      `INSERT INTO cursors (stream, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET
       heldSince = NULL, seq = excluded.seq WHERE seq > excluded.seq`,
    );
    this.#setInboxBack = db.prepare(
      "UPDATE inbox_streams SET seq = min(seq, ?) WHERE stream = ?",
    );
    this.#hold = db.prepare(
      `INSERT INTO cursors (stream, seq, heldSince) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
       heldSince = coalesce(heldSince, excluded.heldSince)`,
    );
    this.#noteReach = db.prepare(
      `INSERT INTO cursors (stream, seq, reach) VALUES (?, 0, ?) ON CONFLICT DO UPDATE SET
       reach = max(reach, excluded.reach)`,
    );
    this.#noteEnd = db.prepare("UPDATE cursors SET reach = max(reach, ?) WHERE stream = ?");
    this.#unread = db.prepare(
      "SELECT stream FROM cursors WHERE reach > seq ORDER BY seq = 0, stream",
    );
    this.#giveUp = db.prepare("UPDATE cursors SET reach = seq, heldSince = NULL WHERE stream = ?");
    this.#any = db.prepare("SELECT 1 FROM cursors LIMIT 1");
    this.#furthestBehind = db.prepare(
      "SELECT stream, seq, reach FROM cursors ORDER BY reach - seq DESC, stream LIMIT ?",
    );
    this.#waiting = db.prepare(
      `SELECT 1 FROM cursors WHERE reach > seq AND coalesce(heldSince, ?1) >= ?1 AND stream <> ?2
       LIMIT 1`,
    );
    this.#noteLocked = db.prepare(
      `INSERT INTO cursors (stream, seq, lockedAt, lockedBy) VALUES (?1, ?2, ?2, ?3)
       ON CONFLICT DO UPDATE SET lockedAt = excluded.lockedAt, lockedBy = excluded.lockedBy
       WHERE seq = ?2 AND lockedAt IS NOT ?2`,
    );
    this.#noteUnlocked = db.prepare("UPDATE cursors SET lockedAt = NULL WHERE stream = ?");
    this.#locked = db.prepare(
      "SELECT seq, lockedBy FROM cursors WHERE stream = ? AND lockedAt = seq AND reach > seq",
    );
  }

  /** Last applied seq; 0 for a stream that was never seen. */
  get(stream: string): Seq {
    return asSeq(Number(this.#get.get(stream)?.seq ?? 0));
  }

  /** Sets the cursor of a stream that has none yet. */
  enter(stream: string, seq: SeqNumber): void {
    this.#enter.run(stream, seq);
  }

  /** Moves the cursor, unless it was set back meanwhile so that updates are read again. */
  advance(stream: string, { from, to }: { from: SeqNumber; to: SeqNumber }): void {
    this.#advance.run(stream, to, from);
  }

  /**
   * Has the stream read from behind `seq`, if not from further back. What is read again has other
   * updates, so that the inbox takes it in again, too.
   */
  setBack(stream: string, seq: Seq): void {
    this.#setBack.run(stream, seq);
    this.#setInboxBack.run(seq, stream);
    this.#setBacks.set(stream, this.setBacks(stream) + 1);
  }

  /** How often the stream was set back by this process. */
  setBacks(stream: string): number {
    return this.#setBacks.get(stream) ?? 0;
  }

  /** Notes that the stream waits at `seq` for an object from `now` on; returns since when it waits. */
  hold(stream: string, seq: SeqNumber, now: number): number {
    this.#hold.run(stream, seq, now);
    return Number(this.#get.get(stream)!.heldSince);
  }

  /** Whether the stream waits at `seq`. */
  isHeld(stream: string, seq: SeqNumber): boolean {
    const known = this.#get.get(stream);
    return known !== undefined && known.seq === seq && known.heldSince !== null;
  }

  /** Notes that the stream waits at `seq` for a key or an upgrade. The first reason stays. */
  noteLocked(stream: string, seq: number, reason: string): void {
    this.#noteLocked.run(stream, seq, reason);
  }

  /** Notes that the stream waits for a key or an upgrade no longer; when its cursor moves, it never does. */
  noteUnlocked(stream: string): void {
    this.#noteUnlocked.run(stream);
  }

  /** Whether the stream waits for a key or an upgrade, and since which seq. */
  locked(stream: string): LockedStream | undefined {
    const row = this.#locked.get(stream);
    return row && { after: Number(row.seq), reason: String(row.lockedBy) };
  }

  /** Notes that a listing shows `seq` of the stream, or that an object with it was read. */
  noteReach(stream: string, seq: SeqNumber): void {
    this.#noteReach.run(stream, seq);
  }

  /** Notes the last seq of a stream that is continued by another one, if the stream is known here. */
  noteEnd(stream: string, seq: SeqNumber): void {
    const known = this.#get.get(stream);
    if (known && Number(known.reach) < seq) this.#noteEnd.run(seq, stream);
  }

  /** How far listings and objects have shown the stream to reach. */
  reach(stream: string): Seq {
    return asSeq(Number(this.#get.get(stream)?.reach ?? 0));
  }

  /**
   * Streams that reach beyond their cursors. Those that were read before come first, so that they do not wait
   * for any number of new streams that somebody makes up.
   */
  unread(): string[] {
    return this.#unread.all().map(({ stream }) => String(stream));
  }

  /**
   * Whether anything is left to read of streams other than `own`. Streams that have waited for an object since
   * before `heldAfter` do not count, because that object is given up.
   */
  hasUnread(own: string, heldAfter: number): boolean {
    return this.#waiting.get(heldAfter, own) !== undefined;
  }

  /** The streams with their cursors and ends, those with the most left to read first. */
  furthestBehind(limit: number): { stream: string; seq: number; reach: number }[] {
    return this.#furthestBehind.all(limit) as unknown as ReturnType<Cursors["furthestBehind"]>;
  }

  /** Whether any stream is known. */
  knowsAny(): boolean {
    return this.#any.get() !== undefined;
  }

  /** Forgets that the stream reaches further: the rest is gone, and was reported as a gap. */
  giveUp(stream: string): void {
    this.#giveUp.run(stream);
  }
}
