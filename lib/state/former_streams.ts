/**
 * Own streams that were given up for new ones: another copy of the state may still write to them.
 *
 * @module
 */
import type { ObjectName } from "../log/names.ts";
import type { Row, Seq } from "../log/positions.ts";
import type { Database } from "./database.ts";

/** A stream that was given up. */
export interface FormerStream {
  /** Name of the stream. */
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

  /** Prepares the statements. */
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

  /** Remembers a stream that is given up `now`. */
  add({ stream, base, uploadedSeq }: FormerStream, now: number): void {
    this.#drop.run(Math.round(now - MAX_AGE_MS));
    this.#add.run(stream, base, uploadedSeq, Math.round(now));
    this.#dropSeen.run();
  }

  /** Forgets those that were given up long before `now`, and what was looked into of them. */
  forgetOld(now: number): void {
    this.#drop.run(Math.round(now - MAX_AGE_MS));
    this.#dropOldSeen.run();
  }

  /** One of them. */
  get(stream: string): FormerStream | undefined {
    return this.#get.get(stream) as FormerStream | undefined;
  }

  /** Those that were given up not long before `now`. */
  all(now: number): FormerStream[] {
    return this.#all.all(Math.round(now - MAX_AGE_MS)) as unknown as FormerStream[];
  }

  /** The last one that holds the row. */
  holding(row: Row): FormerStream | undefined {
    return this.#holding.get(row) as unknown as FormerStream | undefined;
  }

  /** Remembers that an object was looked into, with all that its writer had written before. */
  noteSeen({ key, stream, writer, last }: ObjectName): void {
    this.#noteSeen.run(key, stream, writer, last);
  }

  /** Remembers that the object was considered when others could not be, for lack of a key. */
  noteUndecided({ key, stream, last }: ObjectName): void {
    this.#noteSeen.run(undecided(key), stream, "", last);
  }

  /** Whether the object was considered without a decision. */
  wasUndecided({ key }: ObjectName): boolean {
    return this.#isSeen.get(undecided(key)) !== undefined;
  }

  /** Whether the object was looked into. */
  hasSeen({ key }: ObjectName): boolean {
    return this.#isSeen.get(key) !== undefined;
  }

  /** Whether an object of the writer was looked into that reaches beyond `seq`. */
  hasSeenBeyond(seq: Seq, { stream, writer }: ObjectName): boolean {
    return this.#isPast.get(stream, writer, seq) !== undefined;
  }
}

/** In place of the key of an object, which it cannot be taken for. */
function undecided(key: string): string {
  return `undecided ${key}`;
}
