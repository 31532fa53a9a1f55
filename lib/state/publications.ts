/**
 * The names that publishers gave their updates: who repeats a request because its answer was lost
 * gets the same answer, and publishes nothing twice.
 *
 * @module
 */
import type { Row } from "../log/positions.ts";
import type { Database } from "./database.ts";

/** What became of an update with a name. */
export interface Publication {
  /** The name that the publisher gave. */
  readonly name: string;
  /** Hash of what was published under it. */
  readonly hash: string;
  /** Normalised URL of the feed. */
  readonly url: string;
  /** Its row in the outbox; null when it was left out, since nothing had changed. */
  readonly row: Row | null;
  /** UUID of the update. */
  readonly id: string | null;
  /** Time of the update, in milliseconds since 1970. */
  readonly time: number | null;
}

/** Names are remembered for so long. */
const MEMORY_MS = 24 * 60 * 60 * 1000;

/** Old names are looked for no more often. */
const CLEANING_MS = 60 * 1000;

/** The named updates of the last day. */
export class Publications {
  readonly #named;
  readonly #find;
  readonly #add;
  readonly #forget;
  #cleanedAt = -Infinity;

  constructor(db: Database) {
    this.#named = db.prepare("SELECT * FROM publications WHERE name = ?");
    this.#find = db.prepare("SELECT * FROM publications WHERE name = ?1 OR id = ?1 LIMIT 1");
    this.#add = db.prepare(
      `INSERT OR REPLACE INTO publications (name, hash, url, row, id, time, notedAt)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#forget = db.prepare("DELETE FROM publications WHERE notedAt < ? OR notedAt > ?");
  }

  /** The update with this name. */
  named(name: string): Publication | undefined {
    return this.#named.get(name) as unknown as Publication | undefined;
  }

  /** The update with this name, or with this UUID. */
  find(nameOrId: string): Publication | undefined {
    return this.#find.get(nameOrId) as unknown as Publication | undefined;
  }

  /** Remembers a name, at `now` by the local clock, in a transaction of the caller. */
  note({ name, hash, url, row, id, time }: Publication, now: number): void {
    this.#forgetOld(now);
    this.#add.run(name, hash, url, row, id, time, Math.round(now));
  }

  #forgetOld(now: number): void {
    if (Math.abs(now - this.#cleanedAt) < CLEANING_MS) return;
    this.#cleanedAt = now;
    // Names from the future were noted before the clock was set back.
    this.#forget.run(Math.round(now - MEMORY_MS), Math.round(now + MEMORY_MS));
  }
}
