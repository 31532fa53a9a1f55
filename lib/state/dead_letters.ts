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

/** Updates that could not be applied; at most one a plugin, stream and seq. */
export class DeadLetters {
  readonly #add;
  readonly #all;

  /** Prepares the statements. */
  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT INTO dead_letters (plugin, stream, seq, content, error, time)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET error = excluded.error`,
    );
    this.#all = db.prepare("SELECT * FROM dead_letters ORDER BY id");
  }

  /** Keeps an update. */
  add({ plugin, stream, seq, content, error, time }: DeadLetter): void {
    this.#add.run(plugin, stream, seq, content, error, time);
  }

  /** All that are kept, oldest first. */
  all(): DeadLetter[] {
    return this.#all.all() as unknown as DeadLetter[];
  }
}
