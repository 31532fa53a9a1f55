/**
 * Where the newest known update of each feed was published, and whether the plugins have had it.
 *
 * A place is found by the time of its update. Streams are read in the order of time, so what is read together lies
 * together, however the URLs are spread. Triggers keep places and `newest` in step, also when version 0.1 writes
 * there, which knows no places.
 *
 * @module
 */
import type { SQLInputValue, StatementSync } from "node:sqlite";
import { type Database, GROUP, placeholders } from "./database.ts";

/** Where an update was published. */
export interface Place {
  /** The stream. */
  readonly stream: string;
  /** The position in the stream. */
  readonly seq: number;
}

/** The newest known update of a feed, with its place. */
export interface PlacedUpdate {
  /** The feed: its normalised URL. */
  readonly feed: string;
  /** Time of the update, in milliseconds since 1970. */
  readonly time: number;
  /** Where it was published; undefined if its time was clamped. */
  readonly place: Place | undefined;
}

/**
 * Condition of rows of `placed_newest` whose update was delivered to the plugins, or will be, when its stream is
 * read up to its known end. Gaps are noted separately. Without a place, version 0.1 has noted it.
 */
export const IS_DELIVERED = `(coalesce(delivered, stream IS NULL OR EXISTS (
  SELECT 1 FROM cursors WHERE cursors.stream = placed_newest.stream
  AND placed_newest.seq <= max(cursors.seq, cursors.reach))))`;

/** Time of the update if it is the newest of its feed: with the feed, the key of its place. */
const TIME_OF = "(SELECT time FROM newest WHERE url = :feed AND id = :id)";

/** The places of the newest known updates. Feeds are normalised URLs. */
export class Places {
  readonly #add: StatementSync;
  readonly #addGroup: StatementSync;
  readonly #addAgain;
  readonly #noteDelivered;
  readonly #noteMissed;

  constructor(db: Database) {
    [this.#add, this.#addGroup] = [1, GROUP].map((rows) =>
      db.prepare(
        `INSERT OR REPLACE INTO places (time, url, stream, seq, delivered)
         VALUES ${placeholders(rows, 5)}`,
      )
    );
    this.#addAgain = db.prepare(
      `UPDATE places SET stream = :stream, seq = :seq, delivered = NULL
       WHERE time = ${TIME_OF} AND url = :feed AND delivered = 0`,
    );
    this.#noteDelivered = db.prepare(
      `UPDATE places SET delivered = 1 WHERE time = ${TIME_OF} AND url = :feed`,
    );
    this.#noteMissed = db.prepare(
      `UPDATE places SET delivered = 0
       WHERE stream = ? AND seq BETWEEN ? AND ? AND delivered IS NULL`,
    );
  }

  /**
   * Notes the places of updates that were just noted as the newest of their feeds: of one, or of a group.
   * `isDelivered`: whether to all plugins; undefined: determined by the cursor.
   */
  add(updates: readonly PlacedUpdate[], isDelivered: boolean | undefined): void {
    const delivered = isDelivered === undefined ? null : Number(isDelivered);
    const values: SQLInputValue[] = [];
    for (const { feed, time, place } of updates) {
      values.push(time, feed, place?.stream ?? null, place?.seq ?? null, delivered);
    }
    (updates.length === 1 ? this.#add : this.#addGroup).run(...values);
  }

  /** Notes that an update that was known, and is not delivered, has come in a stream, whose cursor decides now. */
  addAgain(feed: string, id: string, place: Place | undefined): void {
    const { stream = null, seq = null } = place ?? {};
    this.#addAgain.run({ feed, id, stream, seq });
  }

  /** Notes that this update was delivered to the plugins, regardless of cursors. */
  noteDelivered(feed: string, id: string): void {
    this.#noteDelivered.run({ feed, id });
  }

  /** Notes that the updates at these seqs were not delivered, unless that is known regardless of cursors. */
  noteMissed(stream: string, { first, last }: { first: number; last: number }): void {
    this.#noteMissed.run(stream, first, last);
  }
}
