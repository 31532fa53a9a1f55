/**
 * What leaves the inbox: lines that all consumers have acknowledged, and, when too much waits, the
 * superseded ones, then the oldest. What is dropped unread leaves a mark: a gap for whoever has not
 * passed it.
 *
 * @module
 */
import type { Database } from "./database.ts";
import { IS_SUPERSEDED, ROW_BYTES } from "./inbox.ts";

/** Number of rows handled in one transaction. */
const BATCH = 1000;

/** Maximum number of marks left by one batch: anyone can publish in any number of streams. */
const MAX_MARKS = 500;

/** The inbox is cut at once when it exceeds its size by this factor: nobody looks after it. */
const EXCESS = 1.25;

/** Limits of the inbox. */
export interface InboxLimits {
  /** How long updates wait, and consumers are remembered. */
  readonly maxAgeMs: number;
  /** Maximum size. */
  readonly maxBytes: number;
}

/** Limits that hold until others are set. */
export const DEFAULT_LIMITS: InboxLimits = { maxAgeMs: 7 * 24 * 60 * 60 * 1000, maxBytes: 1e9 };

/** A row that may be dropped. */
interface DroppableRow {
  readonly row: number;
  readonly stream: string;
  readonly seq: number;
  readonly own: number;
  readonly bytes: number;
}

/** Rows that one mark stands for. */
interface DroppedRows {
  /** The mark takes the place of this row, the last one. */
  readonly row: number;
  readonly stream: string | null;
  readonly first: number;
  readonly last: number;
}

/** Keeps the inbox small. All methods that write must be called in a transaction. */
export class InboxUpkeep {
  readonly #delete;
  readonly #deleteUpTo;
  readonly #bytesUpTo;
  readonly #lastInBatch;
  readonly #superseded;
  readonly #endOfBatch;
  readonly #groups;
  readonly #mark;
  readonly #deleteBut;
  readonly #endOfOldest;
  readonly #getLimits;
  readonly #setLimits;
  readonly #bytes;
  readonly #oldest;
  readonly #grow;

  constructor(db: Database) {
    this.#delete = db.prepare("DELETE FROM inbox WHERE row = ?");
    this.#deleteUpTo = db.prepare("DELETE FROM inbox WHERE row <= ?");
    this.#bytesUpTo = db.prepare("SELECT sum(bytes) AS bytes FROM inbox WHERE row <= ?");
    this.#lastInBatch = db.prepare(
      `SELECT max(row) AS row FROM
       (SELECT row FROM inbox WHERE row <= ? ORDER BY row LIMIT ${BATCH})`,
    );
    this.#superseded = db.prepare(
      `SELECT row, stream, seq, own, bytes FROM inbox
       WHERE row > ? AND row <= ? AND kind = 'update' AND ${IS_SUPERSEDED} ORDER BY row`,
    );
    this.#endOfBatch = db.prepare(
      `SELECT max(row) AS row FROM
       (SELECT row FROM inbox WHERE row > ? ORDER BY row LIMIT ${BATCH})`,
    );
    this.#groups = db.prepare(
      `SELECT max(row) AS row, stream, min(seq) AS first, max(max(seq, last)) AS last
       FROM inbox WHERE row <= ? AND kind <> 'start' GROUP BY stream, own`,
    );
    this.#mark = db.prepare(
      `UPDATE inbox SET kind = ?, stream = ?, seq = ?, last = ?, bytes = ${ROW_BYTES}, restored = 0,
       id = NULL, url = NULL, feed = NULL, time = NULL, body = NULL WHERE row = ?`,
    );
    this.#deleteBut = db.prepare(
      "DELETE FROM inbox WHERE row <= ? AND row NOT IN (SELECT value FROM json_each(?))",
    );
    this.#endOfOldest = db.prepare(
      `SELECT max(row) AS row FROM (
         SELECT row, bytes, sum(bytes) OVER (ORDER BY row) AS total FROM (
           SELECT row, bytes FROM inbox WHERE kind = 'update' AND arrivedAt < ?
           ORDER BY row LIMIT ${BATCH}))
       WHERE total - bytes < ?`,
    );
    this.#oldest = db.prepare(
      "SELECT row, arrivedAt FROM inbox WHERE kind = 'update' ORDER BY row LIMIT 1",
    );
    this.#getLimits = db.prepare("SELECT value FROM meta WHERE key = 'inboxLimits'");
    this.#setLimits = db.prepare(
      "INSERT OR REPLACE INTO meta (key, value) VALUES ('inboxLimits', ?)",
    );
    this.#bytes = db.prepare("SELECT value FROM meta WHERE key = 'inboxBytes'");
    this.#grow = db.prepare("UPDATE meta SET value = value + ? WHERE key = 'inboxBytes'");
  }

  /** Sets the limits for all processes that use the state. */
  setLimits(limits: InboxLimits): void {
    this.#setLimits.run(JSON.stringify(limits));
  }

  /** The limits that were set last. */
  limits(): InboxLimits {
    const text = this.#getLimits.get()?.value;
    return text === undefined ? DEFAULT_LIMITS : JSON.parse(String(text));
  }

  /** Drops the oldest updates if the inbox is far too large, since nobody looks after it. */
  bound(): void {
    const { maxBytes } = this.limits();
    const excess = () => Number(this.#bytes.get()?.value ?? 0) - maxBytes;
    if (excess() <= (EXCESS - 1) * maxBytes) return;
    while (excess() > 0 && this.oldestArrival() !== undefined) this.dropOldest({ bytes: excess() });
  }

  /** Deletes rows up to `row`, a batch of them. */
  dropUpTo(row: number): void {
    const end = Number(this.#lastInBatch.get(row)!.row ?? 0);
    if (end === 0) return;
    this.#grow.run(-Number(this.#bytesUpTo.get(end)!.bytes));
    this.#deleteUpTo.run(end);
  }

  /**
   * Drops superseded updates among the next rows after `row`; returns the last of these rows, or
   * undefined when there were none left.
   */
  dropSuperseded(row: number): number | undefined {
    const end = this.#endOfBatch.get(row)!.row as number | null;
    if (end === null) return undefined;
    const rows = this.#superseded.all(row, end) as unknown as DroppableRow[];
    let freed = 0;
    for (const { kept, others, first, last, bytes } of runsOf(rows)) {
      for (const other of others) this.#delete.run(other.row);
      this.#mark.run("superseded", kept.stream, first, last, kept.row);
      freed += bytes - ROW_BYTES;
    }
    this.#grow.run(-freed);
    return end;
  }

  /** Drops the oldest updates, up to a batch of them: of before a time, or of so many bytes. */
  dropOldest(
    { before = Number.MAX_SAFE_INTEGER, bytes: wanted = Number.MAX_SAFE_INTEGER }: {
      readonly before?: number;
      readonly bytes?: number;
    },
  ): void {
    const end = Number(this.#endOfOldest.get(Math.round(before), Math.ceil(wanted))!.row ?? 0);
    if (end === 0) return;
    const groups = this.#groups.all(end) as unknown as DroppedRows[];
    const marks = groups.length <= MAX_MARKS ? groups : [mergeAll(groups)];
    const bytes = Number(this.#bytesUpTo.get(end)!.bytes);
    this.#deleteBut.run(end, JSON.stringify(marks.map(({ row }) => row)));
    for (const { row, stream, first, last } of marks) {
      this.#mark.run("lost", stream, first, last, row);
    }
    this.#grow.run(marks.length * ROW_BYTES - bytes);
  }

  /** When the oldest update arrived; undefined when there is none. */
  oldestArrival(): number | undefined {
    return this.#oldest.get()?.arrivedAt as number | undefined;
  }
}

/** Superseded updates that follow each other in their stream and in the inbox. */
interface Run {
  readonly kept: DroppableRow;
  readonly others: readonly DroppableRow[];
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

function runsOf(rows: readonly DroppableRow[]): Run[] {
  const runs: DroppableRow[][] = [];
  for (const row of rows) {
    const run = runs.at(-1), before = run?.at(-1);
    const follows = before && before.stream === row.stream && before.own === row.own &&
      before.seq + 1 === row.seq && before.row + 1 === row.row;
    if (follows) run!.push(row);
    else runs.push([row]);
  }
  return runs.map((run) => ({
    kept: run.at(-1)!,
    others: run.slice(0, -1),
    first: run[0].seq,
    last: run.at(-1)!.seq,
    bytes: run.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
}

function mergeAll(groups: readonly DroppedRows[]): DroppedRows {
  return { row: Math.max(...groups.map(({ row }) => row)), stream: null, first: 0, last: 0 };
}
