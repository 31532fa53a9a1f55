/**
 * The newest update of each feed, published here or applied: decides which update wins. Feeds are
 * told apart by their normalised URLs, since older servers publish a URL as it was written.
 *
 * @module
 */
import { feedIdentity } from "../feed_url.ts";
import type { Database } from "./database.ts";

/** An update as far as it matters for which one is newer: by time, then by id. */
export interface Version {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** UUID of the update. */
  readonly id: string;
  /** Hash of the content; null when the feed is gone. */
  readonly hash: string | null;
}

/**
 * No honest clock is so far ahead of the store's, in milliseconds. Were a later time believed, nothing
 * that others publish under its URL would ever be newer.
 */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;

/** Whether a time can be that of an update, as far as the store's clock tells, which says `now`. */
export function isPlausible(time: number, now: number): boolean {
  return time <= now + MAX_AHEAD_MS;
}

/** Bytes that the URLs take which a row adds to, at least: what else is in it. */
const ROW_BYTES = 100;

/**
 * Feeds are remembered for good, for they are as many as there are. Who can publish makes up any
 * number, though, at a few bytes each: beyond so many bytes those are forgotten that were updated the
 * longest time ago.
 */
const MAX_BYTES = 256 * 1024 * 1024;

/** URLs of feeds are hardly longer. Those that are have a bound of their own, as few of them fill a state. */
const LONG_URL_BYTES = 512, MAX_LONG_BYTES = 16 * 1024 * 1024;

/** The bounds are looked at after so many bytes. */
const MAX_UNCHECKED_BYTES = 4 * 1024 * 1024;

/** What the rows of URLs take that are longer than given. */
const BYTES = `SELECT coalesce(sum(octet_length(url) + ${ROW_BYTES}), 0) AS bytes FROM newest
  WHERE octet_length(url) > ?`;

/** When the newest row of such URLs was updated that is beyond the bytes that are given. */
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

  /** Prepares the statements. */
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
   * Remembers an update, unless a newer one is known. What was {@linkcode isPlausible} once and is not
   * `now`, by the store's clock, is not newer: the clock was set back.
   */
  note(url: string, { time, id, hash }: Version, now = Infinity): void {
    this.#revision++;
    this.#note.run(feedIdentity(url), time, id, hash, now + MAX_AHEAD_MS);
    this.#unchecked += url.length + ROW_BYTES;
    if (this.#unchecked > MAX_UNCHECKED_BYTES) this.bound();
  }

  /** Forgets what is beyond the bounds, and a bit more: then it is not looked for with each update. */
  bound(): void {
    this.#unchecked = 0;
    for (const [length, most] of [[LONG_URL_BYTES, MAX_LONG_BYTES], [0, MAX_BYTES]]) {
      if (Number(this.#bytes.get(length)!.bytes) <= most) continue;
      this.#dropOld.run(length, this.#cutoff.get(length, most - most / 8)!.time);
    }
  }

  /** Changes with every note of this process. */
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
