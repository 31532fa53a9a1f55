/**
 * How far each stream has been read.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** The last applied seq of each stream. */
export class Cursors {
  readonly #get;
  readonly #enter;
  readonly #set;
  readonly #hold;

  /** Prepares the statements. */
  constructor(db: Database) {
    this.#get = db.prepare("SELECT seq, heldSince FROM cursors WHERE stream = ?");
    this.#enter = db.prepare("INSERT OR IGNORE INTO cursors VALUES (?, ?, NULL)");
    this.#set = db.prepare(
      `INSERT INTO cursors VALUES (?, ?, NULL) ON CONFLICT DO UPDATE SET
       heldSince = iif(seq = excluded.seq, heldSince, NULL), seq = excluded.seq`,
    );
    this.#hold = db.prepare(
      `INSERT INTO cursors VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
       heldSince = coalesce(heldSince, excluded.heldSince)`,
    );
  }

  /** Last applied seq; 0 for a stream that was never seen. */
  get(stream: string): number {
    return Number(this.#get.get(stream)?.seq ?? 0);
  }

  /** Sets the cursor of a stream that has none yet. */
  enter(stream: string, seq: number): void {
    this.#enter.run(stream, seq);
  }

  /** Moves the cursor. */
  set(stream: string, seq: number): void {
    this.#set.run(stream, seq);
  }

  /** Notes at `now` that the stream waits at `seq` for an object; returns since when it does. */
  hold(stream: string, seq: number, now: number): number {
    this.#hold.run(stream, seq, now);
    return Number(this.#get.get(stream)!.heldSince);
  }
}
