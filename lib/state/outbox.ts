/**
 * The outbox holds accepted updates until their segment is closed.
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import { asRow, type Row } from "../log/positions.ts";
import { type Database, GROUP, inGroups, placeholders } from "./database.ts";

/** An accepted update. */
export interface OutboxRow {
  /** Row number, from 1, without holes. */
  readonly row: Row;
  readonly id: string;
  readonly url: string;
  /** Milliseconds since 1970, by the store's clock. */
  readonly time: number;
  /** Its JSON without `seq`, `id`, `url` and `time`. */
  readonly body: string;
}

/** Accepted updates in the order of their rows. */
export class Outbox {
  readonly #insert: StatementSync;
  readonly #insertGroup: StatementSync;
  readonly #find;
  readonly #range;
  readonly #ids;
  readonly #last;
  readonly #drop;
  readonly #shift;
  readonly #outside;
  readonly #setTime;
  readonly #getTime;
  readonly #lastTime;

  constructor(db: Database) {
    [this.#insert, this.#insertGroup] = [1, GROUP].map((rows) =>
      db.prepare(`INSERT INTO outbox (id, url, time, body) VALUES ${placeholders(rows, 4)}`)
    );
    this.#find = db.prepare("SELECT * FROM outbox WHERE id = ?");
    this.#range = db.prepare("SELECT * FROM outbox WHERE row BETWEEN ? AND ? ORDER BY row");
    this.#ids = db.prepare("SELECT row, id FROM outbox WHERE row BETWEEN ? AND ?");
    this.#last = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
    this.#drop = db.prepare("DELETE FROM outbox WHERE row <= ?");
    this.#shift = db.prepare("UPDATE outbox SET time = time + ?");
    this.#outside = db.prepare(
      "SELECT row, id, url FROM outbox WHERE row BETWEEN ? AND ? AND (time < 0 OR time > ?) ORDER BY row",
    );
    this.#setTime = db.prepare("UPDATE outbox SET time = ? WHERE row = ?");
    this.#lastTime = db.prepare("SELECT time FROM outbox ORDER BY row DESC LIMIT 1");
    this.#getTime = db.prepare("SELECT time FROM outbox WHERE row = ?");
  }

  /** Appends updates. Their rows must be those that come next. */
  addAll(rows: readonly OutboxRow[]): void {
    for (const group of inGroups(rows)) {
      const values = group.flatMap(({ id, url, time, body }) => [id, url, time, body]);
      const insert = group.length === 1 ? this.#insert : this.#insertGroup;
      const last = group[group.length - 1].row;
      if (Number(insert.run(...values).lastInsertRowid) !== last) {
        throw new Error(`The row ${last} of the outbox is not the next one`);
      }
    }
  }

  /** The queued update with this id. */
  find(id: string): OutboxRow | undefined {
    return this.#find.get(id) as unknown as OutboxRow | undefined;
  }

  /** The last row number ever given out; 0 when none was. */
  lastRow(): Row {
    return asRow(Number(this.#last.get()?.seq ?? 0));
  }

  /** The rows from `first` to `last`, in order, as far as they are there. */
  *rows(first: Row, last: Row): Iterable<OutboxRow> {
    for (const row of this.#range.iterate(first, last)) yield row as unknown as OutboxRow;
  }

  /** The ids of these rows, as far as they are there. */
  ids(first: Row, last: Row): Map<Row, string> {
    return new Map(
      this.#ids.all(first, last).map(({ row, id }) => [asRow(Number(row)), String(id)]),
    );
  }

  /** Forgets all rows up to `row`. */
  drop(row: Row): void {
    this.#drop.run(row);
  }

  /** Rows in this range whose time is before 1970, or after `latest`. */
  outsideTime(first: Row, last: Row, latest: number): Pick<OutboxRow, "row" | "id" | "url">[] {
    return this.#outside.all(first, last, latest) as unknown as OutboxRow[];
  }

  /** The time of a row, perhaps corrected; undefined when the row was dropped. */
  timeOf(row: Row): number | undefined {
    return this.#getTime.get(row)?.time as number | undefined;
  }

  /** The time of the last row; undefined when all rows were dropped. */
  lastTime(): number | undefined {
    return this.#lastTime.get()?.time as number | undefined;
  }

  /** Corrects the time of a row that was not uploaded yet. */
  setTime(row: Row, time: number): void {
    this.#setTime.run(time, row);
  }

  /** Corrects the time of every row by `ms`. */
  shiftTimes(ms: number): void {
    this.#shift.run(ms);
  }
}
