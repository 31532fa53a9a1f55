/**
 * Epochs of the inbox. Rows belong to the epoch of the process that wrote them. A copy of the state,
 * or one that lost its last writes, gives the same numbers to other updates, but in another epoch.
 *
 * @module
 */
import type { Random } from "../base/environment.ts";
import type { Database } from "./database.ts";

/** Maximum number of epochs: a process begins one when it first writes. */
const MAX_EPOCHS = 10_000;

/** The epochs, each from its first row on. */
export class InboxEpochs {
  readonly #random: Random;
  #own: string | undefined;
  readonly #last;
  readonly #at;
  readonly #add;
  readonly #drop;

  constructor(db: Database, random: Random) {
    this.#random = random;
    this.#last = db.prepare("SELECT epoch FROM inbox_epochs ORDER BY first DESC LIMIT 1");
    this.#at = db.prepare(
      "SELECT epoch FROM inbox_epochs WHERE first <= ? ORDER BY first DESC LIMIT 1",
    );
    this.#add = db.prepare("INSERT OR REPLACE INTO inbox_epochs (first, epoch) VALUES (?, ?)");
    this.#drop = db.prepare(
      `DELETE FROM inbox_epochs WHERE first <
       (SELECT first FROM inbox_epochs ORDER BY first DESC LIMIT 1 OFFSET ${MAX_EPOCHS})`,
    );
  }

  /** The epoch of a row; undefined for rows before all that are known. */
  at(row: number): string | undefined {
    return this.#at.get(row)?.epoch as string | undefined;
  }

  /** The epoch of this process; undefined before it has begun. */
  own(): string | undefined {
    return this.#own;
  }

  /** Begins the epoch of this process with the next row, unless it is the last one already. */
  begin(nextRow: number): string {
    const own = this.#own ??= this.#random.token();
    if (this.#last.get()?.epoch !== own) {
      this.#add.run(nextRow, own);
      this.#drop.run();
    }
    return own;
  }
}
