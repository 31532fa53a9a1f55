/**
 * The newest known update of each feed, published or applied here, which decides which update wins.
 * Normalised URLs identify feeds, because older servers publish URLs as they were written.
 *
 * @module
 */
import type { SQLInputValue, StatementSync } from "node:sqlite";
import { feedIdentity } from "../feed_url.ts";
import { MAX_AHEAD_MS, type OrderedUpdate } from "../log/update_order.ts";
import { type Database, GROUP, inGroups, placeholders } from "./database.ts";

/** The order of an update, and its content. */
export interface Version extends OrderedUpdate {
  /** Hash of the content; null when the feed is gone. */
  readonly hash: string | null;
}

/** Where an update was published. */
export interface Place {
  /** The stream. */
  readonly stream: string;
  /** The position in the stream. */
  readonly seq: number;
}

/** The newest known update of a feed, with what determines its order. */
export interface KnownUpdate extends OrderedUpdate {
  /** URL of the feed, normalised. */
  readonly url: string;
}

/** The newest known update of a feed. */
export interface NewestRow extends Version {
  /** Where it was published; undefined if version 0.1 noted it, or if its time was implausible. */
  readonly place: Place | undefined;
}

/** A feed with its newest known update. */
export interface KnownFeed extends NewestRow {
  /** URL of the feed, normalised. */
  readonly url: string;
}

/** Options of {@linkcode Newest.note}. */
export interface NoteOptions {
  /** Where it was published; absent if its time was clamped. */
  readonly place?: Place | undefined;
  /** Whether it was delivered to the plugins. @default determined by the cursor of its stream */
  readonly isDelivered?: boolean | undefined;
  /** The store's time; known updates that are implausible then are replaced. @default none are */
  readonly now?: number | undefined;
}

/** {@linkcode NoteOptions} as statements take them. */
interface Noting {
  readonly now: number;
  readonly delivered: number | null;
}

/** An update that is noted with others. */
export interface ReceivedUpdate extends Version {
  /** Its URL. */
  readonly url: string;
  /** Where it was published; absent if its time was clamped. */
  readonly place: Place | undefined;
}

/** What came of noting updates, by their index. */
export interface NotedUpdates {
  /** Whether the update was news when it was noted. */
  readonly isNews: readonly boolean[];
  /** Whether a newer update of its feed is known now. */
  readonly isSuperseded: readonly boolean[];
}

/** The columns of a {@linkcode NewestRow}. */
const COLUMNS = "time, id, hash, iif(placedId = id, stream, NULL) AS stream, seq";

/** Number of rows read at a time, so that a slow consumer keeps no transaction open. */
const PAGE_ROWS = 1000;

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

/**
 * Whether the update of a row was delivered to the plugins, or will be, when its stream is read up
 * to its known end. Gaps are noted separately.
 */
const IS_DELIVERED = `(placedId IS NOT id OR coalesce(delivered, stream IS NULL OR EXISTS (
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
  readonly #versions: StatementSync;
  readonly #versionsOfGroup: StatementSync;
  readonly #page;
  readonly #count;
  readonly #delivered;
  readonly #deliveredPage;
  readonly #knownPage;
  readonly #placedPage;
  readonly #noteDelivered;
  readonly #noteMissed;
  readonly #note: StatementSync;
  readonly #noteGroup: StatementSync;
  readonly #place: StatementSync;
  readonly #placeGroup: StatementSync;
  readonly #beginGroup;
  readonly #undoGroup;
  readonly #endGroup;
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
    [this.#versions, this.#versionsOfGroup] = [1, GROUP].map((feeds) =>
      db.prepare(`SELECT url, time, id, hash FROM newest WHERE url IN ${placeholders(1, feeds)}`)
    );
    this.#page = db.prepare(
      `SELECT url, ${COLUMNS} FROM placed_newest WHERE url > ? AND time >= ? ORDER BY url LIMIT ${PAGE_ROWS}`,
    );
    this.#count = db.prepare("SELECT count(*) AS count FROM newest WHERE hash IS NOT NULL");
    this.#delivered = db.prepare(
      `SELECT time, id, hash FROM placed_newest WHERE url = ? AND ${IS_DELIVERED}`,
    );
    this.#deliveredPage = db.prepare(
      `SELECT url, time, id FROM placed_newest WHERE url > ? AND ${IS_DELIVERED} ORDER BY url LIMIT ?`,
    );
    this.#knownPage = db.prepare(
      "SELECT url, time, id FROM newest WHERE url > ? ORDER BY url LIMIT ?",
    );
    this.#placedPage = db.prepare(
      `SELECT url, time, id, stream, seq FROM placed_newest
       WHERE url > ? AND placedId = id AND stream IS NOT NULL ORDER BY url LIMIT ?`,
    );
    [this.#note, this.#noteGroup] = [1, GROUP].map((rows) =>
      db.prepare(
        `INSERT INTO newest (url, time, id, hash) VALUES ${placeholders(rows, 4)}
         ON CONFLICT DO UPDATE SET
         time = excluded.time, id = excluded.id, hash = excluded.hash
         WHERE (excluded.time, excluded.id) > (time, id) OR time > ?`,
      )
    );
    [this.#place, this.#placeGroup] = [1, GROUP].map((rows) =>
      db.prepare(
        `INSERT OR REPLACE INTO places (url, id, stream, seq, delivered)
         VALUES ${placeholders(rows, 5)}`,
      )
    );
    this.#beginGroup = db.prepare("SAVEPOINT noted");
    this.#undoGroup = db.prepare("ROLLBACK TO noted");
    this.#endGroup = db.prepare("RELEASE noted");
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

  /** The newest known updates of URLs, by the URLs as they are given. */
  versions(urls: readonly string[]): Map<string, Version> {
    const feeds = Map.groupBy(new Set(urls), feedIdentity), known = new Map<string, Version>();
    for (const group of inGroups([...feeds.keys()])) {
      const select = group.length === 1 ? this.#versions : this.#versionsOfGroup;
      const rows = select.all(...group);
      for (const { url: feed, ...version } of rows as unknown as (Version & { url: string })[]) {
        for (const url of feeds.get(feed)!) known.set(url, version);
      }
    }
    return known;
  }

  /** Number of known feeds that are not gone. */
  count(): number {
    return Number(this.#count.get()!.count);
  }

  /** Yields the feeds behind a URL that were updated at `since` or later, by URL, page by page. */
  *feeds(
    { since = 0, behind = "" }: { since?: number; behind?: string } = {},
  ): Generator<KnownFeed, undefined> {
    for (let after = behind;;) {
      const page = this.#page.all(after, since) as unknown as (StoredRow & { url: string })[];
      yield* page.map(withPlace);
      if (page.length < PAGE_ROWS) return undefined;
      after = page.at(-1)!.url;
    }
  }

  /**
   * The newest known update of the URL, if it was delivered to the plugins, or will be in its
   * stream.
   */
  delivered(url: string): Version | undefined {
    return this.#delivered.get(feedIdentity(url)) as Version | undefined;
  }

  /** As {@linkcode delivered}, for at most `limit` URLs after `url`. */
  deliveredPage(url: string, limit: number): KnownUpdate[] {
    return this.#deliveredPage.all(url, limit) as unknown as KnownUpdate[];
  }

  /** The newest known updates of at most `limit` URLs after `url`, delivered or not. */
  knownPage(url: string, limit: number): KnownUpdate[] {
    return this.#knownPage.all(url, limit) as unknown as KnownUpdate[];
  }

  /** The newest known updates with known places, of at most `limit` URLs after `url`. */
  placedPage(url: string, limit: number): (KnownUpdate & Place)[] {
    return this.#placedPage.all(url, limit) as unknown as (KnownUpdate & Place)[];
  }

  /**
   * Remembers an update, unless a newer one is known. A known update with an implausible time does
   * not count as newer: the store's clock was set back. If the update is known but undelivered, and
   * now arrives in a stream, the cursor of that stream determines whether it is delivered. Returns
   * whether the update is news.
   */
  note(
    url: string,
    version: Version,
    { place, isDelivered, now = Infinity }: NoteOptions = {},
  ): boolean {
    const delivered = isDelivered === undefined ? null : Number(isDelivered);
    const isNews = this.#noteOne(feedIdentity(url), { ...version, place }, { now, delivered });
    this.#noteWritten(url);
    return isNews;
  }

  /**
   * Notes updates one after the other, as {@linkcode note} does, in a transaction of the caller.
   */
  noteAll(
    updates: readonly ReceivedUpdate[],
    { isDelivered, now = Infinity }: Omit<NoteOptions, "place">,
  ): NotedUpdates {
    const noting = { now, delivered: isDelivered === undefined ? null : Number(isDelivered) };
    const feeds = updates.map(({ url }) => feedIdentity(url)), isNews: boolean[] = [];
    for (const group of inGroups(updates)) {
      const first = isNews.length, groupFeeds = feeds.slice(first, first + group.length);
      if (group.length > 1 && this.#areAllNews(groupFeeds, group, noting)) {
        isNews.push(...group.map(() => true));
      } else {
        for (const [index, update] of group.entries()) {
          isNews.push(this.#noteOne(groupFeeds[index], update, noting));
        }
      }
    }
    const isSuperseded = new Array<boolean>(updates.length), later = new Set<string>();
    for (let index = updates.length - 1; index >= 0; index--) {
      const feed = feeds[index], { url, time, id } = updates[index];
      const isAsked = !isNews[index] || later.has(feed);
      isSuperseded[index] = isAsked && this.#supersedes.get(feed, time, id) !== undefined;
      later.add(feed);
      this.#noteWritten(url);
    }
    return { isNews, isSuperseded };
  }

  /** Notes a group if all of it is news; otherwise changes nothing. */
  #areAllNews(
    feeds: readonly string[],
    group: readonly ReceivedUpdate[],
    { now, delivered }: Noting,
  ): boolean {
    const rows: SQLInputValue[] = [], places: SQLInputValue[] = [];
    for (const [index, { time, id, hash, place }] of group.entries()) {
      rows.push(feeds[index], time, id, hash);
      places.push(feeds[index], id, place?.stream ?? null, place?.seq ?? null, delivered);
    }
    this.#beginGroup.run();
    const { changes } = this.#noteGroup.run(...rows, now + MAX_AHEAD_MS);
    const areAll = changes === group.length;
    if (areAll) this.#placeGroup.run(...places);
    else this.#undoGroup.run();
    this.#endGroup.run();
    return areAll;
  }

  #noteOne(
    feed: string,
    { time, id, hash, place }: Omit<ReceivedUpdate, "url">,
    { now, delivered }: Noting,
  ): boolean {
    const { stream = null, seq = null } = place ?? {};
    const isNews = this.#note.run(feed, time, id, hash, now + MAX_AHEAD_MS).changes > 0;
    if (isNews) this.#place.run(feed, id, stream, seq, delivered);
    else if (delivered === null) this.#placeAgain.run(stream, seq, feed, id);
    return isNews;
  }

  /** Enforces the maximum sizes now and then. */
  #noteWritten(url: string): void {
    this.#revision++;
    this.#unchecked += 2 * url.length + ROW_BYTES;
    if (this.#unchecked > MAX_UNCHECKED_BYTES) this.bound();
  }

  /** Notes that this update was delivered to the plugins, regardless of cursors. */
  noteDelivered(url: string, id: string): void {
    this.#noteDelivered.run(feedIdentity(url), id);
  }

  /**
   * Notes that the known updates at these seqs were not delivered, although the cursor passes them.
   * Restored updates remain delivered.
   */
  noteMissed(stream: string, { first, last }: { first: number; last: number }): void {
    this.#noteMissed.run(stream, first, last);
  }

  /** Enforces the maximum sizes; frees an eighth more, so that this is rarely necessary. */
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
