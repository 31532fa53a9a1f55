/**
 * Limits how many feeds are remembered.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** Minimum size of a row in bytes, besides the URL, which is stored twice. */
const ROW_BYTES = 250;

/**
 * Maximum size in bytes. Feeds are remembered permanently, but a publisher can invent any number of
 * them: beyond this, those with the oldest updates are forgotten.
 */
const MAX_BYTES = 256 * 1024 * 1024;

/** Length of long URLs in bytes, and the maximum size of their rows: few would fill a state. */
const LONG_URL_BYTES = 512, MAX_LONG_BYTES = 16 * 1024 * 1024;

/** Number of bytes written between checks of the maximum sizes. */
const MAX_UNCHECKED_BYTES = 8 * 1024 * 1024;

/** Total size of the rows whose URLs are longer than the parameter. */
const BYTES = `SELECT coalesce(sum(2 * octet_length(url) + ${ROW_BYTES}), 0) AS bytes FROM newest
  WHERE octet_length(url) > ?`;

/** Time of the newest such row beyond the given total size. */
const CUTOFF = `SELECT max(time) AS time FROM (
  SELECT time, sum(2 * octet_length(url) + ${ROW_BYTES}) OVER (ORDER BY time DESC ROWS UNBOUNDED PRECEDING)
  AS bytes FROM newest WHERE octet_length(url) > ?) WHERE bytes > ?`;

/** Keeps the newest known updates of feeds within their maximum sizes. */
export class NewestLimit {
  #unchecked = 0;
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
    this.#unchecked += 2 * url.length + ROW_BYTES;
    if (this.#unchecked > MAX_UNCHECKED_BYTES) this.enforce();
  }

  /** Enforces the maximum sizes; frees an eighth more, so that this is rarely necessary. */
  enforce(): void {
    this.#unchecked = 0;
    for (const [length, most] of [[LONG_URL_BYTES, MAX_LONG_BYTES], [0, MAX_BYTES]]) {
      if (Number(this.#bytes.get(length)!.bytes) <= most) continue;
      this.#dropOld.run(length, this.#cutoff.get(length, most - most / 8)!.time);
    }
  }
}
