/**
 * The newest update of each feed, published or applied here, decides which update wins. Normalised URLs
 * identify feeds, because older servers publish URLs as they were written.
 *
 * @module
 */
import { feedIdentity } from "../feed_url.ts";
import type { Database } from "./database.ts";

/** What decides which update is newer: the time, then the id. */
export interface Version {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly id: string;
  /** Hash of the content; null when the feed is gone. */
  readonly hash: string | null;
}

/**
 * No honest clock is further ahead of the store's. If a later time were believed, that update would be the
 * newest of its URL forever.
 */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;

/** Whether an update can have this time when the store's clock says `now`. */
export function isPlausible(time: number, now: number): boolean {
  return time <= now + MAX_AHEAD_MS;
}

/** What a row takes besides its URL, at least. */
const ROW_BYTES = 100;

/**
 * Feeds are remembered permanently, but a publisher can make up any number of them. Beyond so many bytes, those
 * that were updated the longest time ago are forgotten.
 */
const MAX_BYTES = 256 * 1024 * 1024;

/** Longer URLs are rare and have a bound of their own, because few of them would fill a state. */
const LONG_URL_BYTES = 512, MAX_LONG_BYTES = 16 * 1024 * 1024;

/** The bounds are checked after so many bytes. */
const MAX_UNCHECKED_BYTES = 8 * 1024 * 1024;

/** What the rows of URLs that are longer than the parameter take. */
const BYTES = `SELECT coalesce(sum(octet_length(url) + ${ROW_BYTES}), 0) AS bytes FROM newest
  WHERE octet_length(url) > ?`;

/** The time of the newest such row beyond the given bytes. */
const CUTOFF = `SELECT max(time) AS time FROM (
  SELECT time, sum(octet_length(url) + ${ROW_BYTES}) OVER (ORDER BY time DESC ROWS UNBOUNDED PRECEDING)
  AS bytes FROM newest WHERE octet_length(url) > ?) WHERE bytes > ?`;

/** The newest known update of each URL. */
export class Newest {
  #revision = 0;
  #unchecked = 0;
  readonly #bytes;
  readonly #cutoff;
  readonly #dropOld;
  readonly #get;
  readonly #note;
  readonly #supersedes;
  readonly #shift;

  constructor(db: Database) {
    this.#bytes = db.prepare(BYTES);
    this.#cutoff = db.prepare(CUTOFF);
    this.#dropOld = db.prepare("DELETE FROM newest WHERE octet_length(url) > ? AND time <= ?");
    this.#get = db.prepare("SELECT time, id, hash FROM newest WHERE url = ?");
    this.#note = db.prepare(
      `INSERT INTO newest (url, time, id, hash) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       time = excluded.time, id = excluded.id, hash = excluded.hash
       WHERE (excluded.time, excluded.id) > (time, id) OR time > ?`,
    );
    this.#supersedes = db.prepare("SELECT 1 FROM newest WHERE url = ? AND (time, id) > (?, ?)");
    this.#shift = db.prepare("UPDATE newest SET time = time + ?");
  }

  /** The newest known update of the URL. */
  get(url: string): Version | undefined {
    return this.#get.get(feedIdentity(url)) as Version | undefined;
  }

  /**
   * Remembers an update, unless a newer one is known. A known one whose time is not {@linkcode isPlausible} at
   * `now` is not newer: the store's clock was set back.
   */
  note(url: string, { time, id, hash }: Version, now = Infinity): void {
    this.#revision++;
    this.#note.run(feedIdentity(url), time, id, hash, now + MAX_AHEAD_MS);
    this.#unchecked += url.length + ROW_BYTES;
    if (this.#unchecked > MAX_UNCHECKED_BYTES) this.bound();
  }

  /** Forgets what is beyond the bounds, and an eighth more, so that not each update exceeds them again. */
  bound(): void {
    this.#unchecked = 0;
    for (const [length, most] of [[LONG_URL_BYTES, MAX_LONG_BYTES], [0, MAX_BYTES]]) {
      if (Number(this.#bytes.get(length)!.bytes) <= most) continue;
      this.#dropOld.run(length, this.#cutoff.get(length, most - most / 8)!.time);
    }
  }

  /** Changes whenever this process notes an update. */
  revision(): number {
    return this.#revision;
  }

  /** Whether a newer update of the URL is known. */
  supersedes(url: string, time: number, id: string): boolean {
    return this.#supersedes.get(feedIdentity(url), time, id) !== undefined;
  }

  /** Corrects the time of every entry by `ms`. */
  shiftTimes(ms: number): void {
    this.#shift.run(ms);
  }
}
