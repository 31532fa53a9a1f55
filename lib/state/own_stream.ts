/**
 * The own stream: how far it is uploaded, sealed and closed, and which objects in the bucket are known to be
 * its own.
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import { asRow, MAX_SEQ, type Row, type Seq } from "../log/positions.ts";
import type { Database } from "./database.ts";

/** How far the own stream is uploaded, sealed and closed. */
export interface StreamState {
  readonly stream: string;
  /** The stream that it continues. */
  readonly previous: string | null;
  /** The row before the one with seq 1. */
  readonly base: Row;
  /** Last row known to be in the bucket. */
  readonly uploadedRow: Row;
  /** Last seq in a segment. */
  readonly sealedSeq: Seq;
  /** Last seq in a closed segment; the outbox has dropped the rows up to it. */
  readonly closedSeq: Seq;
  /** Key of the open segment, which holds the seqs from `closedSeq` + 1 to `sealedSeq`. */
  readonly openSegmentKey: string | null;
  /** NDJSON bytes in the open segment. */
  readonly openSegmentBytes: number;
  /** When the open segment was begun, in milliseconds since 1970. */
  readonly openSegmentTime: number;
}

const COLUMNS: Record<keyof StreamState, string> = {
  stream: "stream",
  previous: "previous",
  base: "base",
  uploadedRow: "uploaded",
  sealedSeq: "sealed",
  closedSeq: "closed",
  openSegmentKey: "openKey",
  openSegmentBytes: "openBytes",
  openSegmentTime: "openedAt",
};

const SELECTED = Object.entries(COLUMNS).map(([field, column]) => `${column} AS ${field}`);

/** A commit that is known to hold own rows. */
export interface KnownCommit {
  readonly key: string;
  readonly first: Seq;
  readonly last: Seq;
  /** Of NDJSON. */
  readonly bytes: number;
}

/** The stream that this server publishes to. */
export class OwnStream {
  readonly #db: Database;
  readonly #saves = new Map<string, StatementSync>();
  readonly #load;
  readonly #uploadedRow;
  readonly #addCommit;
  readonly #commits;
  readonly #tailLength;
  readonly #dropCommits;
  readonly #addGarbage;
  readonly #garbage;
  readonly #known;
  readonly #nextGarbage;
  readonly #postponeGarbage;
  readonly #dropGarbage;
  readonly #republish;
  readonly #republished;

  constructor(db: Database) {
    this.#db = db;
    this.#load = db.prepare(`SELECT ${SELECTED.join(", ")} FROM publisher`);
    this.#uploadedRow = db.prepare("SELECT uploaded FROM publisher");
    this.#addCommit = db.prepare(
      "INSERT OR REPLACE INTO commits (key, first, last, bytes) VALUES (?, ?, ?, ?)",
    );
    this.#commits = db.prepare("SELECT * FROM commits ORDER BY last, first");
    this.#tailLength = db.prepare(
      "SELECT count(*) AS length FROM commits, publisher WHERE last > sealed",
    );
    this.#dropCommits = db.prepare("DELETE FROM commits WHERE last <= ?");
    this.#addGarbage = db.prepare("INSERT OR IGNORE INTO garbage (key, due) VALUES (?, ?)");
    this.#garbage = db.prepare("SELECT key FROM garbage WHERE due <= ? ORDER BY due, key");
    this.#known = db.prepare("SELECT key FROM commits UNION ALL SELECT key FROM garbage");
    this.#nextGarbage = db.prepare("SELECT min(due) AS due FROM garbage");
    this.#postponeGarbage = db.prepare("UPDATE garbage SET due = ? WHERE due < ?");
    this.#dropGarbage = db.prepare("DELETE FROM garbage WHERE key = ?");
    this.#republish = db.prepare(
      `INSERT OR IGNORE INTO republished (stream, id)
       SELECT stream, id FROM publisher, outbox WHERE row > ?`,
    );
    this.#republished = db.prepare("SELECT id FROM republished WHERE stream = ?");
  }

  /** Reads the state of the stream. */
  load(): StreamState {
    return { ...this.#load.get() } as unknown as StreamState;
  }

  /** Last row known to be in the bucket. */
  uploadedRow(): Row {
    return asRow(Number(this.#uploadedRow.get()!.uploaded));
  }

  /** Changes the state of the stream. */
  save(changes: Partial<StreamState>): void {
    const fields = Object.keys(changes) as (keyof StreamState)[];
    const columns = fields.map((field) => `${COLUMNS[field]} = ?`).join(", ");
    let statement = this.#saves.get(columns);
    if (!statement) {
      statement = this.#db.prepare(`UPDATE publisher SET ${columns}`);
      this.#saves.set(columns, statement);
    }
    statement.run(...Object.values(changes));
  }

  /**
   * Begins a new stream: the row after `base` gets seq 1. Objects of the previous stream stay until they
   * expire.
   */
  begin(
    stream: string,
    { base, previous = null }: { base: Row; previous?: string | null },
  ): void {
    this.#db.prepare("DELETE FROM publisher").run();
    this.#db.prepare(
      `INSERT INTO publisher (one, stream, previous, base, uploaded, sealed, closed, openBytes, openedAt)
       VALUES (1, ?, ?, ?, ?, 0, 0, 0, 0)`,
    ).run(stream, previous, base, base);
    this.dropCommits(MAX_SEQ);
  }

  /** Remembers a commit as own. */
  addCommit({ key, first, last, bytes }: KnownCommit): void {
    this.#addCommit.run(key, first, last, bytes);
  }

  /** The known commits beyond the last closed segment, including sealed ones, by `last`. */
  commits(): KnownCommit[] {
    return this.#commits.all() as unknown as KnownCommit[];
  }

  /** How many known commits are not sealed yet. */
  tailLength(): number {
    return Number(this.#tailLength.get()!.length);
  }

  /** Forgets the commits that end at or below `seq`. */
  dropCommits(seq: Seq): void {
    this.#dropCommits.run(seq);
  }

  /** Has an own object deleted once it is `due`, in milliseconds since 1970. */
  addGarbage(key: string, due: number): void {
    this.#addGarbage.run(key, due);
  }

  /** Keys of the objects that are due at `now`, by time. */
  garbage(now: number): string[] {
    return this.#garbage.all(now).map(({ key }) => String(key));
  }

  /** Keys of all objects that are known to be own: commits and garbage. */
  knownKeys(): Set<string> {
    return new Set(this.#known.all().map(({ key }) => String(key)));
  }

  /** When the next garbage is due; Infinity when there is none. */
  nextGarbage(): number {
    return Number(this.#nextGarbage.get()!.due ?? Infinity);
  }

  /** Postpones all garbage that is due before `due`. */
  postponeGarbage(due: number): void {
    this.#postponeGarbage.run(due, due);
  }

  /** Forgets garbage that is deleted. */
  dropGarbage(keys: readonly string[]): void {
    for (const key of keys) this.#dropGarbage.run(key);
  }

  /** Remembers that the rows beyond `row` are published again in another stream. */
  noteRepublished(row: Row): void {
    this.#republish.run(row);
  }

  /** Ids of the updates of an own stream that this server published again after a fork. */
  republishedIn(stream: string): Set<string> {
    return new Set(this.#republished.all(stream).map(({ id }) => String(id)));
  }
}
