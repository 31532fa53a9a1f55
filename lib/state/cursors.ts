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
  readonly #advance;
  readonly #setBack;
  readonly #hold;

  /** Prepares the statements. */
  constructor(db: Database) {
    this.#get = db.prepare("SELECT seq, heldSince FROM cursors WHERE stream = ?");
    this.#enter = db.prepare("INSERT OR IGNORE INTO cursors VALUES (?, ?, NULL)");
    this.#advance = db.prepare(
      `INSERT INTO cursors VALUES (?, ?, NULL) ON CONFLICT DO UPDATE SET
       heldSince = NULL, seq = excluded.seq WHERE seq = ?`,
    );
    this.#setBack = db.prepare(
      `INSERT INTO cursors VALUES (?, ?, NULL) ON CONFLICT DO UPDATE SET
       heldSince = NULL, seq = excluded.seq WHERE seq > excluded.seq`,
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

  /** Moves the cursor on, unless it was set back meanwhile: then what is before is read again. */
  advance(stream: string, { from, to }: { from: number; to: number }): void {
    this.#advance.run(stream, to, from);
  }

  /** Has the stream read again from behind `seq` on, or for the first time. */
  setBack(stream: string, seq: number): void {
    this.#setBack.run(stream, seq);
  }

  /** Notes at `now` that the stream waits at `seq` for an object; returns since when it does. */
  hold(stream: string, seq: number, now: number): number {
    this.#hold.run(stream, seq, now);
    return Number(this.#get.get(stream)!.heldSince);
  }
}
