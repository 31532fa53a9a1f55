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
}

/** A dead letter as it is listed: with the URL of the update only, which may be large. */
export interface ListedLetter extends Omit<DeadLetter, "content"> {
  /** Its number, from 1, never used again. */
  readonly id: number;
  /** URL of the update. */
  readonly url: string;
}

const LISTED = "id, plugin, stream, seq, content ->> 'url' AS url, error, time";

/** Updates that could not be applied; at most one a plugin, stream and seq. */
export class DeadLetters {
  readonly #add;
  readonly #all;
  readonly #count;
  readonly #get;
  readonly #fail;
  readonly #drop;

  /** Prepares the statements. */
  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT INTO dead_letters (plugin, stream, seq, content, error, time)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET error = excluded.error`,
    );
    this.#all = db.prepare(`SELECT ${LISTED} FROM dead_letters ORDER BY id`);
    this.#count = db.prepare("SELECT count(*) AS count FROM dead_letters");
    this.#get = db.prepare(`SELECT ${LISTED}, content FROM dead_letters WHERE id = ?`);
    this.#fail = db.prepare("UPDATE dead_letters SET error = ? WHERE id = ?");
    this.#drop = db.prepare("DELETE FROM dead_letters WHERE id = ?");
  }

  /** Keeps an update. */
  add({ plugin, stream, seq, content, error, time }: DeadLetter): void {
    this.#add.run(plugin, stream, seq, content, error, time);
  }

  /** All that are kept, oldest first. */
  all(): ListedLetter[] {
    return this.#all.all() as unknown as ListedLetter[];
  }

  /** How many are kept. */
  count(): number {
    return (this.#count.get() as { count: number }).count;
  }

  /** The one with this number, with its update. */
  get(id: number): (ListedLetter & DeadLetter) | undefined {
    return this.#get.get(id) as unknown as (ListedLetter & DeadLetter) | undefined;
  }

  /** Notes what went wrong this time. */
  fail(id: number, error: string): void {
    this.#fail.run(error, id);
  }

  /** Forgets the update. */
  drop(id: number): void {
    this.#drop.run(id);
  }
}
