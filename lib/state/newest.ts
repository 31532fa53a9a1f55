/**
 * The newest update of each feed, published or applied here, decides which update wins. Normalised URLs
 * identify feeds, because older servers publish URLs as they were written.
 *
 * @module
 */
import { feedIdentity } from "../feed_url.ts";
import { MAX_AHEAD_MS, type OrderedUpdate } from "../log/update_order.ts";
import type { Database } from "./database.ts";

/** What decides which update is newer, and what the content is. */
export interface Version extends OrderedUpdate {
  /** Hash of the content; null when the feed is gone. */
  readonly hash: string | null;
}

/** Where an update was published. */
export interface Place {
  /** Its stream. */
  readonly stream: string;
  /** Its position there. */
  readonly seq: number;
}

/** What is known of the newest update of a feed. */
export interface NewestRow extends Version {
  /** Where it was published; undefined when that is not known: by a state of 0.1, or a time that was not plausible. */
  readonly place: Place | undefined;
}

/** What is noted of an update besides its version. */
export interface NoteOptions {
  /** Where it was published, if its time is the one that it was stored with. */
  readonly place?: Place | undefined;
  /**
   * Whether the plugins had it. @default when the cursor of its stream has passed it
   */
  readonly isDelivered?: boolean | undefined;
  /** The store's time: what is known and not plausible then is not newer. @default everything is plausible */
  readonly now?: number | undefined;
}

/** What a row takes besides its URL, at least. */
const ROW_BYTES = 250;

/**
 * Feeds are remembered permanently, but a publisher can make up any number of them. Beyond so many bytes, those
 * that were updated the longest time ago are forgotten.
 */
const MAX_BYTES = 256 * 1024 * 1024;

/** Longer URLs are rare and have a bound of their own, because few of them would fill a state. */
const LONG_URL_BYTES = 512, MAX_LONG_BYTES = 16 * 1024 * 1024;

/** The bounds are checked after so many bytes. */
const MAX_UNCHECKED_BYTES = 4 * 1024 * 1024;

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
  readonly #delivered;
  readonly #noteDelivered;
  readonly #noteMissed;
  readonly #note;
  readonly #supersedes;
  readonly #shift;
  readonly #setTime;

  constructor(db: Database) {
    this.#bytes = db.prepare(BYTES);
    this.#cutoff = db.prepare(CUTOFF);
    this.#dropOld = db.prepare("DELETE FROM newest WHERE octet_length(url) > ? AND time <= ?");
    this.#get = db.prepare(
      `SELECT time, id, hash, iif(placedId = id, stream, NULL) AS stream, seq FROM newest WHERE url = ?`,
    );
    this.#delivered = db.prepare(
      `SELECT time, id, hash FROM newest WHERE url = ?
       AND (placedId IS NOT id OR coalesce(delivered, stream IS NULL OR seq <=
         (SELECT cursors.seq FROM cursors WHERE cursors.stream = newest.stream)))`,
    );
    this.#note = db.prepare(
      `INSERT INTO newest (url, time, id, hash, placedId, stream, seq, delivered)
       VALUES (?1, ?2, ?3, ?4, ?3, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET
       time = excluded.time, id = excluded.id, hash = excluded.hash, placedId = excluded.placedId,
       stream = excluded.stream, seq = excluded.seq, delivered = excluded.delivered
       WHERE (excluded.time, excluded.id) > (time, id) OR time > ?8`,
    );
    this.#noteDelivered = db.prepare(
      "UPDATE newest SET delivered = 1 WHERE url = ? AND id = ? AND placedId = id",
    );
    this.#noteMissed = db.prepare(
      "UPDATE newest SET delivered = 0 WHERE stream = ? AND seq BETWEEN ? AND ? AND placedId = id",
    );
    this.#supersedes = db.prepare("SELECT 1 FROM newest WHERE url = ? AND (time, id) > (?, ?)");
    this.#shift = db.prepare("UPDATE newest SET time = time + ?");
    this.#setTime = db.prepare("UPDATE newest SET time = ? WHERE url = ? AND id = ?");
  }

  /** The newest known update of the URL. */
  get(url: string): NewestRow | undefined {
    const row = this.#get.get(feedIdentity(url));
    if (!row) return undefined;
    const { stream, seq, ...version } = row as unknown as Version & Partial<Place>;
    return { ...version, place: stream ? { stream, seq: seq! } : undefined };
  }

  /**
   * The newest known update of the URL if the plugins have had it. While they have not, an older one
   * may be all that they know.
   */
  delivered(url: string): Version | undefined {
    return this.#delivered.get(feedIdentity(url)) as Version | undefined;
  }

  /**
   * Remembers an update, unless a newer one is known. A known one whose time is not plausible `now` is
   * not newer: the store's clock was set back.
   */
  note(
    url: string,
    { time, id, hash }: Version,
    { place, isDelivered, now = Infinity }: NoteOptions = {},
  ): void {
    this.#revision++;
    const delivered = isDelivered === undefined ? null : Number(isDelivered);
    const { stream = null, seq = null } = place ?? {};
    const latest = now + MAX_AHEAD_MS;
    this.#note.run(feedIdentity(url), time, id, hash, stream, seq, delivered, latest);
    this.#unchecked += url.length + ROW_BYTES;
    if (this.#unchecked > MAX_UNCHECKED_BYTES) this.bound();
  }

  /** Remembers that the plugins have had this update of the URL, whatever its stream's cursor says. */
  noteDelivered(url: string, id: string): void {
    this.#noteDelivered.run(feedIdentity(url), id);
  }

  /**
   * Remembers that the plugins never had what is known of these seqs, although the cursor of the stream
   * passes them.
   */
  noteMissed(stream: string, { first, last }: { first: number; last: number }): void {
    this.#noteMissed.run(stream, first, last);
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

  /** Corrects the time of this update, if it is the newest of the URL. */
  setTime(url: string, id: string, time: number): void {
    this.#setTime.run(time, feedIdentity(url), id);
  }

  /** Corrects the time of every entry by `ms`. */
  shiftTimes(ms: number): void {
    this.#shift.run(ms);
  }
}
