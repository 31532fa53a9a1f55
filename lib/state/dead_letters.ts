/**
 * Dead letters: updates that a plugin could not apply, with the errors.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** An update that a plugin could not apply. */
export interface DeadLetter {
  readonly plugin: string;
  readonly stream: string;
  readonly seq: number;
  /** The update in its stable JSON form. */
  readonly content: string;
  /** The last error. */
  readonly error: string;
  /** When the update was given up, in milliseconds since 1970. */
  readonly time: number;
  /** When it is retried automatically, in milliseconds since 1970; null: never. */
  readonly retryAt: number | null;
}

/** A dead letter as it is listed: without the update, which may be large, but with its URL. */
export interface ListedLetter extends Omit<DeadLetter, "content"> {
  /** From 1, never used again. */
  readonly id: number;
  readonly url: string;
}

/** A dead letter that is retried automatically. */
export interface WaitingLetter {
  readonly id: number;
  readonly plugin: string;
  /** In milliseconds since 1970. */
  readonly retryAt: number;
  /** How often it was retried. */
  readonly retries: number;
}

const LISTED = "id, plugin, stream, seq, content ->> 'url' AS url, error, time, retryAt";

/** At most one per plugin and update, even if the update arrives several times. */
export class DeadLetters {
  readonly #add;
  readonly #addAgain;
  readonly #all;
  readonly #count;
  readonly #countByPlugin;
  readonly #lastId;
  readonly #countAfter;
  readonly #get;
  readonly #waiting;
  readonly #postpone;
  readonly #fail;
  readonly #drop;

  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT INTO dead_letters (plugin, stream, seq, content, error, time, retryAt)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET error = excluded.error, retryAt = excluded.retryAt, retries = 0`,
    );
    this.#addAgain = db.prepare(
      `UPDATE dead_letters SET error = ?, retryAt = ?, retries = 0
       WHERE plugin = ? AND content ->> 'id' = ? ->> 'id'`,
    );
    this.#all = db.prepare(`SELECT ${LISTED} FROM dead_letters ORDER BY id LIMIT ?`);
    this.#count = db.prepare("SELECT count(*) AS count FROM dead_letters");
    this.#countByPlugin = db.prepare(
      "SELECT plugin, count(*) AS count FROM dead_letters GROUP BY plugin",
    );
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

  add({ plugin, stream, seq, content, error, time, retryAt }: DeadLetter): void {
    if (this.#addAgain.run(error, retryAt, plugin, content).changes > 0) return;
    this.#add.run(plugin, stream, seq, content, error, time, retryAt);
  }

  /** Those that are retried automatically, oldest first. */
  waiting(): WaitingLetter[] {
    return this.#waiting.all() as unknown as WaitingLetter[];
  }

  /** Notes the error of a retry, and when the next one is due; null: never. */
  postpone(id: number, error: string, retryAt: number | null): void {
    this.#postpone.run(error, retryAt, id);
  }

  /** The oldest ones, in their order; all unless there is a limit. */
  all({ limit = -1 }: { readonly limit?: number | undefined } = {}): ListedLetter[] {
    return this.#all.all(limit) as unknown as ListedLetter[];
  }

  count(): number {
    return (this.#count.get() as { count: number }).count;
  }

  /** How many there are for each plugin. */
  countByPlugin(): Record<string, number> {
    const rows = this.#countByPlugin.all();
    return Object.fromEntries(rows.map(({ plugin, count }) => [String(plugin), Number(count)]));
  }

  /** The highest id so far; 0 before the first one. */
  lastId(): number {
    return (this.#lastId.get() as { id: number }).id;
  }

  /** How many have a higher id. */
  countAfter(id: number): number {
    return (this.#countAfter.get(id) as { count: number }).count;
  }

  /** A dead letter with its update. */
  get(id: number): (ListedLetter & DeadLetter) | undefined {
    return this.#get.get(id) as unknown as (ListedLetter & DeadLetter) | undefined;
  }

  /** Notes the error of a retry. Whether it is retried automatically stays as it was. */
  fail(id: number, error: string): void {
    this.#fail.run(error, id);
  }

  drop(id: number): void {
    this.#drop.run(id);
  }
}
