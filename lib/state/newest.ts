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

/** The newest known update of a feed, as far as order goes. */
export interface KnownUpdate extends OrderedUpdate {
  /** URL of the feed, normalised. */
  readonly url: string;
}

/** What is known of the newest update of a feed. */
export interface NewestRow extends Version {
  /** Where it was published; undefined when that is not known: by a state of 0.1, or a time that was not plausible. */
  readonly place: Place | undefined;
}

/** A feed, and what is known of its newest update. */
export interface KnownFeed extends NewestRow {
  /** Its normalised URL. */
  readonly url: string;
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

/** What is read of a row. */
const COLUMNS = "time, id, hash, iif(placedId = id, stream, NULL) AS stream, seq";

/** So many rows are read at once: whoever takes its time over them keeps no transaction open. */
const PAGE_ROWS = 1000;

/** What a row takes besides its URL, which is there twice, at least. */
const ROW_BYTES = 250;

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
const BYTES = `SELECT coalesce(sum(2 * octet_length(url) + ${ROW_BYTES}), 0) AS bytes FROM newest
  WHERE octet_length(url) > ?`;

/** The time of the newest such row beyond the given bytes. */
const CUTOFF = `SELECT max(time) AS time FROM (
  SELECT time, sum(2 * octet_length(url) + ${ROW_BYTES}) OVER (ORDER BY time DESC ROWS UNBOUNDED PRECEDING)
  AS bytes FROM newest WHERE octet_length(url) > ?) WHERE bytes > ?`;

/**
 * Whether the plugins have had what a row holds, or will have it in its stream: that is read further, and what
 * is missing there is noted.
 */
const HAD = `(placedId IS NOT id OR coalesce(delivered, stream IS NULL OR EXISTS (
  SELECT 1 FROM cursors WHERE cursors.stream = placed_newest.stream
  AND placed_newest.seq <= max(cursors.seq, cursors.reach))))`;

/** The newest known update of each URL. */
export class Newest {
  #revision = 0;
  #unchecked = 0;
  readonly #bytes;
  readonly #cutoff;
  readonly #dropOld;
  readonly #get;
  readonly #page;
  readonly #count;
  readonly #delivered;
  readonly #had;
  readonly #all;
  readonly #placed;
  readonly #noteDelivered;
  readonly #noteMissed;
  readonly #note;
  readonly #place;
  readonly #placeAgain;
  readonly #dropPlaces;
  readonly #supersedes;
  readonly #shift;
  readonly #setTime;

  constructor(db: Database) {
    this.#bytes = db.prepare(BYTES);
    this.#cutoff = db.prepare(CUTOFF);
    this.#dropOld = db.prepare("DELETE FROM newest WHERE octet_length(url) > ? AND time <= ?");
    this.#get = db.prepare(`SELECT ${COLUMNS} FROM placed_newest WHERE url = ?`);
    this.#page = db.prepare(
      `SELECT url, ${COLUMNS} FROM placed_newest WHERE url > ? AND time >= ? ORDER BY url LIMIT ${PAGE_ROWS}`,
    );
    this.#count = db.prepare("SELECT count(*) AS count FROM newest WHERE hash IS NOT NULL");
    this.#delivered = db.prepare(
      `SELECT time, id, hash FROM placed_newest WHERE url = ? AND ${HAD}`,
    );
    this.#had = db.prepare(
      `SELECT url, time, id FROM placed_newest WHERE url > ? AND ${HAD} ORDER BY url LIMIT ?`,
    );
    this.#all = db.prepare("SELECT url, time, id FROM newest WHERE url > ? ORDER BY url LIMIT ?");
    this.#placed = db.prepare(
      `SELECT url, time, id, stream, seq FROM placed_newest
       WHERE url > ? AND placedId = id AND stream IS NOT NULL ORDER BY url LIMIT ?`,
    );
    this.#note = db.prepare(
      `INSERT INTO newest (url, time, id, hash) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       time = excluded.time, id = excluded.id, hash = excluded.hash
       WHERE (excluded.time, excluded.id) > (time, id) OR time > ?`,
    );
    this.#place = db.prepare(
      "INSERT OR REPLACE INTO places (url, id, stream, seq, delivered) VALUES (?, ?, ?, ?, ?)",
    );
    this.#placeAgain = db.prepare(
      `UPDATE places SET stream = ?, seq = ?, delivered = NULL
       WHERE url = ? AND id = ? AND delivered = 0`,
    );
    this.#dropPlaces = db.prepare("DELETE FROM places WHERE url NOT IN (SELECT url FROM newest)");
    this.#noteDelivered = db.prepare("UPDATE places SET delivered = 1 WHERE url = ? AND id = ?");
    this.#noteMissed = db.prepare(
      `UPDATE places SET delivered = 0
       WHERE stream = ? AND seq BETWEEN ? AND ? AND delivered IS NULL`,
    );
    this.#supersedes = db.prepare("SELECT 1 FROM newest WHERE url = ? AND (time, id) > (?, ?)");
    this.#shift = db.prepare("UPDATE newest SET time = time + ?");
    this.#setTime = db.prepare("UPDATE newest SET time = ? WHERE url = ? AND id = ?");
  }

  /** The newest known update of the URL. */
  get(url: string): NewestRow | undefined {
    const row = this.#get.get(feedIdentity(url));
    return row && withPlace(row as unknown as StoredRow);
  }

  /** How many feeds are known that are not gone. */
  count(): number {
    return Number(this.#count.get()!.count);
  }

  /** All feeds, by URL, or those that were updated at `since` or later: page after page, as they are consumed. */
  *feeds({ since = 0 }: { since?: number } = {}): Generator<KnownFeed, undefined> {
    for (let after = "";;) {
      const page = this.#page.all(after, since) as unknown as (StoredRow & { url: string })[];
      yield* page.map(withPlace);
      if (page.length < PAGE_ROWS) return undefined;
      after = page.at(-1)!.url;
    }
  }

  /**
   * The newest known update of the URL if the plugins have had it, or will have it in its stream. Otherwise an
   * older one may be all that they get.
   */
  delivered(url: string): Version | undefined {
    return this.#delivered.get(feedIdentity(url)) as Version | undefined;
  }

  /** What {@linkcode delivered} tells, of at most `limit` URLs that come after `url`. */
  had(url: string, limit: number): KnownUpdate[] {
    return this.#had.all(url, limit) as unknown as KnownUpdate[];
  }

  /** The newest known updates of at most `limit` URLs that come after `url`, whoever has had them. */
  all(url: string, limit: number): KnownUpdate[] {
    return this.#all.all(url, limit) as unknown as KnownUpdate[];
  }

  /** Those of which it is known where they were published, of at most `limit` URLs that come after `url`. */
  placed(url: string, limit: number): (KnownUpdate & Place)[] {
    return this.#placed.all(url, limit) as unknown as (KnownUpdate & Place)[];
  }

  /**
   * Remembers an update, unless a newer one is known. A known one whose time is not plausible `now` is
   * not newer: the store's clock was set back. When one comes in its stream that the plugins are known not to
   * have had, its cursor tells from now on.
   */
  note(
    url: string,
    { time, id, hash }: Version,
    { place, isDelivered, now = Infinity }: NoteOptions = {},
  ): void {
    this.#revision++;
    const delivered = isDelivered === undefined ? null : Number(isDelivered);
    const { stream = null, seq = null } = place ?? {};
    const feed = feedIdentity(url);
    const isNews = this.#note.run(feed, time, id, hash, now + MAX_AHEAD_MS).changes > 0;
    if (isNews) this.#place.run(feed, id, stream, seq, delivered);
    else if (delivered === null) this.#placeAgain.run(stream, seq, feed, id);
    this.#unchecked += 2 * url.length + ROW_BYTES;
    if (this.#unchecked > MAX_UNCHECKED_BYTES) this.bound();
  }

  /** Remembers that the plugins have had this update of the URL, whatever its stream's cursor says. */
  noteDelivered(url: string, id: string): void {
    this.#noteDelivered.run(feedIdentity(url), id);
  }

  /**
   * Remembers that the plugins never had what is known of these seqs, although the cursor of the stream
   * passes them. What was restored they have had.
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
      this.#dropPlaces.run();
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

/** A row as it is stored. */
type StoredRow = Version & { readonly stream: string | null; readonly seq: number | null };

function withPlace<Row extends StoredRow>(
  { stream, seq, ...known }: Row,
): Omit<Row, "stream" | "seq"> & Pick<NewestRow, "place"> {
  return { ...known, place: stream === null ? undefined : { stream, seq: seq! } };
}
