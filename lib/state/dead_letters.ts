/**
 * Updates that a plugin could not apply, kept with the error.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** An update that a plugin could not apply. */
export interface DeadLetter {
  /** Name of the plugin. */
  readonly plugin: string;
  /** Stream of the update. */
  readonly stream: string;
  /** Seq of the update. */
  readonly seq: number;
  /** The update in its stable JSON form. */
  readonly content: string;
  /** What went wrong the last time. */
  readonly error: string;
  /** When it was given up, in milliseconds since 1970. */
  readonly time: number;
  /** When it is tried again by itself, in milliseconds since 1970; null when it is not. */
  readonly retryAt: number | null;
}

/** A dead letter as it is listed: with the URL of the update only, which may be large. */
export interface ListedLetter extends Omit<DeadLetter, "content"> {
  /** Its number, from 1, never used again. */
  readonly id: number;
  /** URL of the update. */
  readonly url: string;
}

/** One that is tried again by itself. */
export interface WaitingLetter {
  /** Its number. */
  readonly id: number;
  /** Name of the plugin. */
  readonly plugin: string;
  /** When it is tried again, in milliseconds since 1970. */
  readonly retryAt: number;
  /** How often it was already. */
  readonly retries: number;
}

const LISTED = "id, plugin, stream, seq, content ->> 'url' AS url, error, time, retryAt";

/** Updates that could not be applied; at most one a plugin, stream and seq. */
export class DeadLetters {
  readonly #add;
  readonly #all;
  readonly #count;
  readonly #lastId;
  readonly #countAfter;
  readonly #get;
  readonly #waiting;
  readonly #postpone;
  readonly #fail;
  readonly #drop;

  /** Prepares the statements. */
  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT INTO dead_letters (plugin, stream, seq, content, error, time, retryAt)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET error = excluded.error, retryAt = excluded.retryAt, retries = 0`,
    );
    this.#all = db.prepare(`SELECT ${LISTED} FROM dead_letters ORDER BY id`);
    this.#count = db.prepare("SELECT count(*) AS count FROM dead_letters");
    this.#lastId = db.prepare("SELECT ifnull(max(id), 0) AS id FROM dead_letters");
    this.#countAfter = db.prepare("SELECT count(*) AS count FROM dead_letters WHERE id > ?");
    this.#get = db.prepare(`SELECT ${LISTED}, content FROM dead_letters WHERE id = ?`);
    this.#waiting = db.prepare(
      "SELECT id, plugin, retryAt, retries FROM dead_letters WHERE retryAt IS NOT NULL ORDER BY id",
    );
    this.#postpone = db.prepare(
      "UPDATE dead_letters SET error = ?, retryAt = ?, retries = retries + 1 WHERE id = ?",
    );
    this.#fail = db.prepare("UPDATE dead_letters SET error = ? WHERE id = ?");
    this.#drop = db.prepare("DELETE FROM dead_letters WHERE id = ?");
  }

  /** Keeps an update. */
  add({ plugin, stream, seq, content, error, time, retryAt }: DeadLetter): void {
    this.#add.run(plugin, stream, seq, content, error, time, retryAt);
  }

  /** Those that are tried again by themselves, oldest first. */
  waiting(): WaitingLetter[] {
    return this.#waiting.all() as unknown as WaitingLetter[];
  }

  /** Notes what went wrong this time, and when to try again; null: not by itself any more. */
  postpone(id: number, error: string, retryAt: number | null): void {
    this.#postpone.run(error, retryAt, id);
  }

  /** All that are kept, oldest first. */
  all(): ListedLetter[] {
    return this.#all.all() as unknown as ListedLetter[];
  }

  /** How many are kept. */
  count(): number {
    return (this.#count.get() as { count: number }).count;
  }

  /** The greatest number so far; 0 before the first one. */
  lastId(): number {
    return (this.#lastId.get() as { id: number }).id;
  }

  /** How many with a greater number are kept. */
  countAfter(id: number): number {
    return (this.#countAfter.get(id) as { count: number }).count;
  }

  /** The one with this number, with its update. */
  get(id: number): (ListedLetter & DeadLetter) | undefined {
    return this.#get.get(id) as unknown as (ListedLetter & DeadLetter) | undefined;
  }

  /** Notes what went wrong this time; whether it is tried again by itself stays as it was. */
  fail(id: number, error: string): void {
    this.#fail.run(error, id);
  }

  /** Forgets the update. */
  drop(id: number): void {
    this.#drop.run(id);
  }
}
