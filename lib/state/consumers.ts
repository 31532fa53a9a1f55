/**
 * Consumers of the inbox, and how far they are.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** A place in what a consumer is handed. */
export interface Position {
  /** Behind this row of the inbox. */
  readonly row: number;
  /** Behind the feed with this number in the walk that begins there; 0: before the first one. */
  readonly number: number;
}

/** A consumer, with the position that it has acknowledged. Times are by the local clock. */
export interface ConsumerRow extends Position {
  readonly name: string;
  readonly start: "newest" | "now";
  /** Whether it is handed own updates, too. */
  readonly own: boolean;
  /** When it was made, in milliseconds since 1970. */
  readonly createdAt: number;
  /** When it was read last, in milliseconds since 1970; 0 before the first time. */
  readonly readAt: number;
}

/** What is known of a consumer that does not change by reading. */
export type ConsumerTraits = Pick<ConsumerRow, "name" | "start" | "own">;

/** Compares two positions: negative when `b` is further. */
export function comparePositions(a: Position, b: Position): number {
  return a.row - b.row || a.number - b.number;
}

/** The consumers. All methods that write must be called in a transaction. */
export class ConsumerRows {
  readonly #get;
  readonly #all;
  readonly #add;
  readonly #change;
  readonly #delete;
  readonly #touch;
  readonly #place;
  readonly #least;
  readonly #wantsOwn;
  readonly #longestUnread;
  readonly #unreadBefore;

  constructor(db: Database) {
    this.#get = db.prepare("SELECT * FROM consumers WHERE name = ?");
    this.#all = db.prepare("SELECT * FROM consumers ORDER BY name");
    this.#add = db.prepare(
      "INSERT INTO consumers (name, start, own, createdAt, row) VALUES (?, ?, ?, ?, ?)",
    );
    this.#change = db.prepare("UPDATE consumers SET start = ?, own = ? WHERE name = ?");
    this.#delete = db.prepare("DELETE FROM consumers WHERE name = ?");
    this.#touch = db.prepare("UPDATE consumers SET readAt = ? WHERE name = ?");
    this.#place = db.prepare("UPDATE consumers SET row = ?, number = ? WHERE name = ?");
    this.#least = db.prepare("SELECT min(row) AS row FROM consumers");
    this.#wantsOwn = db.prepare("SELECT 1 FROM consumers WHERE own = 1 LIMIT 1");
    this.#longestUnread = db.prepare(
      "SELECT min(max(readAt, createdAt)) AS time FROM consumers",
    );
    this.#unreadBefore = db.prepare(
      "SELECT name FROM consumers WHERE max(readAt, createdAt) < ? ORDER BY name",
    );
  }

  /** A consumer by its name. */
  get(name: string): ConsumerRow | undefined {
    const row = this.#get.get(name);
    return row && asConsumer(row);
  }

  /** All consumers, by name. */
  all(): ConsumerRow[] {
    return this.#all.all().map(asConsumer);
  }

  /** Adds a consumer that begins behind `row`. */
  add({ name, start, own }: ConsumerTraits, { row, now }: { row: number; now: number }): void {
    this.#add.run(name, start, Number(own), Math.round(now), row);
  }

  /** Changes what a consumer is handed from now on. */
  change({ name, start, own }: ConsumerTraits): void {
    this.#change.run(start, Number(own), name);
  }

  /** Forgets a consumer. */
  delete(name: string): void {
    this.#delete.run(name);
  }

  /** Notes that the consumer was read. */
  touch(name: string, now: number): void {
    this.#touch.run(Math.round(now), name);
  }

  /** Notes what the consumer has acknowledged, or where it is to go on. */
  place(name: string, { row, number }: Position): void {
    this.#place.run(row, number, name);
  }

  /** All consumers have acknowledged the rows up to this one. */
  leastRow(): number {
    return Number(this.#least.get()?.row ?? Number.MAX_SAFE_INTEGER);
  }

  /** Whether any consumer is handed own updates. */
  wantsOwn(): boolean {
    return this.#wantsOwn.get() !== undefined;
  }

  /** Since when the consumer that was read longest ago was not read; Infinity without consumers. */
  longestUnread(): number {
    return Number(this.#longestUnread.get()!.time ?? Infinity);
  }

  /** Names of the consumers that nobody has read since `time`. */
  unreadBefore(time: number): string[] {
    return this.#unreadBefore.all(Math.round(time)).map(({ name }) => String(name));
  }
}

function asConsumer({ own, ...row }: Record<string, unknown>): ConsumerRow {
  return { ...row, own: own === 1 } as unknown as ConsumerRow;
}
