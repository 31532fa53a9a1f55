/**
 * Limits how many feeds are remembered.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** Minimum size of a row in bytes, besides the URL, which is stored twice. */
const ROW_BYTES = 250;

/** A limit for the rows of some feeds. */
interface Limit {
  /** Rows count whose URL is longer than this, in bytes. */
  readonly length: number;
  /** Maximum size of these rows in bytes. */
  readonly most: number;
  /** Number of bytes that may be written until their size is looked up, which reads all rows. */
  unchecked: number;
}

/** Minimum number of bytes written between two checks. */
const MIN_UNCHECKED_BYTES = 8 * 1024 * 1024;

/** Total size of the rows whose URLs are longer than the parameter. */
const BYTES = `SELECT coalesce(sum(2 * octet_length(url) + ${ROW_BYTES}), 0) AS bytes FROM newest
  WHERE octet_length(url) > ?`;

/** Time of the newest such row beyond the given total size. */
const CUTOFF = `SELECT max(time) AS time FROM (
  SELECT time, sum(2 * octet_length(url) + ${ROW_BYTES}) OVER (ORDER BY time DESC ROWS UNBOUNDED PRECEDING)
  AS bytes FROM newest WHERE octet_length(url) > ?) WHERE bytes > ?`;

/**
 * Keeps what is known within its maximum sizes. Feeds are remembered permanently, but a publisher can invent any
 * number of them: beyond the maximum, those with the oldest updates are forgotten. Few long URLs would fill a state.
 */
export class NewestLimit {
  readonly #limits: readonly Limit[] = [
    { length: 512, most: 16 * 1024 * 1024, unchecked: MIN_UNCHECKED_BYTES },
    { length: 0, most: 256 * 1024 * 1024, unchecked: MIN_UNCHECKED_BYTES },
  ];
  readonly #bytes;
  readonly #cutoff;
  readonly #dropOld;

  constructor(db: Database) {
    this.#bytes = db.prepare(BYTES);
    this.#cutoff = db.prepare(CUTOFF);
    this.#dropOld = db.prepare("DELETE FROM newest WHERE octet_length(url) > ? AND time <= ?");
  }

  /** Enforces the maximum sizes now and then, after an update of this URL was noted. */
  noteWritten(url: string): void {
    for (const limit of this.#limits) {
      if (url.length <= limit.length) continue;
      limit.unchecked -= 2 * url.length + ROW_BYTES;
      if (limit.unchecked < 0) this.#enforce(limit);
    }
  }

  /** Enforces the maximum sizes. */
  enforce(): void {
    for (const limit of this.#limits) this.#enforce(limit);
  }

  /**
   * Frees an eighth more, so that this is rarely necessary. Of the room that is left, this process looks again when
   * it has filled half: another one may fill the rest.
   */
  #enforce(limit: Limit): void {
    const { length, most } = limit, bytes = Number(this.#bytes.get(length)!.bytes);
    if (bytes > most) this.#dropOld.run(length, this.#cutoff.get(length, most - most / 8)!.time);
    limit.unchecked = Math.max(MIN_UNCHECKED_BYTES, (most - bytes) / 2);
  }
}
