/**
 * Former streams: own streams that were given up for new ones. Another copy of the state may still write to
 * them.
 *
 * @module
 */
import type { ObjectName } from "../log/names.ts";
import type { Row, Seq } from "../log/positions.ts";
import type { Database } from "./database.ts";

/** A stream that was given up. */
export interface FormerStream {
  readonly stream: string;
  /** The row before the one with seq 1. */
  readonly base: Row;
  /** Last seq that was uploaded to it. */
  readonly uploadedSeq: Seq;
}

/** A stream is forgotten a week after it was given up. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;

const SELECT = "SELECT stream, base, uploaded AS uploadedSeq FROM former_streams";

/** The own streams before the current one. */
export class FormerStreams {
  readonly #add;
  readonly #all;
  readonly #get;
  readonly #drop;
  readonly #dropSeen;
  readonly #dropOldSeen;
  readonly #noteSeen;
  readonly #isSeen;
  readonly #isPast;
  readonly #holding;

  constructor(db: Database) {
    this.#add = db.prepare(
      "INSERT OR IGNORE INTO former_streams (stream, base, uploaded, givenUpAt) VALUES (?, ?, ?, ?)",
    );
    this.#all = db.prepare(`${SELECT} WHERE givenUpAt >= ?`);
    this.#get = db.prepare(`${SELECT} WHERE stream = ?`);
    this.#holding = db.prepare(`${SELECT} WHERE base < ? ORDER BY base DESC, rowid DESC LIMIT 1`);
    this.#drop = db.prepare("DELETE FROM former_streams WHERE givenUpAt < ?");
    this.#dropSeen = db.prepare(
      "DELETE FROM seen_objects WHERE stream NOT IN (SELECT stream FROM former_streams)",
    );
    this.#dropOldSeen = db.prepare(
      `DELETE FROM seen_objects WHERE stream NOT IN
       (SELECT stream FROM former_streams UNION SELECT stream FROM publisher)`,
    );
    this.#noteSeen = db.prepare(
      "INSERT OR IGNORE INTO seen_objects (key, stream, writer, last) VALUES (?, ?, ?, ?)",
    );
    this.#isSeen = db.prepare("SELECT 1 FROM seen_objects WHERE key = ?");
    this.#isPast = db.prepare(
      "SELECT 1 FROM seen_objects WHERE stream = ? AND writer = ? AND last > ?",
    );
  }

  /** Adds a stream that is given up `now`. */
  add({ stream, base, uploadedSeq }: FormerStream, now: number): void {
    this.#drop.run(Math.round(now - MAX_AGE_MS));
    this.#add.run(stream, base, uploadedSeq, Math.round(now));
    this.#dropSeen.run();
  }

  /** Forgets streams that were given up too long before `now`, and which of their objects were seen. */
  forgetOld(now: number): void {
    this.#drop.run(Math.round(now - MAX_AGE_MS));
    this.#dropOldSeen.run();
  }

  get(stream: string): FormerStream | undefined {
    return this.#get.get(stream) as FormerStream | undefined;
  }

  /** The streams that are remembered at `now`. */
  all(now: number): FormerStream[] {
    return this.#all.all(Math.round(now - MAX_AGE_MS)) as unknown as FormerStream[];
  }

  /** The newest stream that may hold the row. */
  holding(row: Row): FormerStream | undefined {
    return this.#holding.get(row) as unknown as FormerStream | undefined;
  }

  /** Remembers that an object was examined, and so all that its writer had written before. */
  noteSeen({ key, stream, writer, last }: ObjectName): void {
    this.#noteSeen.run(key, stream, writer, last);
  }

  /** Remembers that an object was compared while the keys of others were missing. */
  noteUndecided({ key, stream, last }: ObjectName): void {
    this.#noteSeen.run(undecided(key), stream, "", last);
  }

  /** Whether the object was compared while the keys of others were missing. */
  wasUndecided({ key }: ObjectName): boolean {
    return this.#isSeen.get(undecided(key)) !== undefined;
  }

  /** Whether the object was examined. */
  hasSeen({ key }: ObjectName): boolean {
    return this.#isSeen.get(key) !== undefined;
  }

  /** Whether an object of the same writer was examined that reaches beyond `seq`. */
  hasSeenBeyond(seq: Seq, { stream, writer }: ObjectName): boolean {
    return this.#isPast.get(stream, writer, seq) !== undefined;
  }
}

/** Stands for the key in the same table, where it cannot be confused with a key. */
function undecided(key: string): string {
  return `undecided ${key}`;
}
