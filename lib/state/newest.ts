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
import { NewestLimit } from "./newest_limit.ts";
import { IS_DELIVERED, type Place, type PlacedUpdate, Places } from "./places.ts";

/** The order of an update, and its content. */
export interface Version extends OrderedUpdate {
  /** Hash of the content; null when the feed is gone. */
  readonly hash: string | null;
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

/** How updates are noted, see {@linkcode NoteOptions}. */
interface Noting {
  readonly isDelivered: boolean | undefined;
  readonly now: number;
}

/** An update that is noted. */
export interface ReceivedUpdate extends Version, PlacedUpdate {}

/** What came of noting updates, by their index. */
export interface NotedUpdates {
  /** Whether the update was news when it was noted. */
  readonly isNews: readonly boolean[];
  /** Whether a newer update of its feed is known now. */
  readonly isSuperseded: readonly boolean[];
}

/** The columns of a {@linkcode NewestRow}. */
const COLUMNS = "time, id, hash, stream, seq";

/** Number of rows read at a time, so that a slow consumer keeps no transaction open. */
const PAGE_ROWS = 1000;

/** The newest known update of each URL. */
export class Newest {
  #revision = 0;
  readonly #limit: NewestLimit;
  readonly #places: Places;
  readonly #get;
  readonly #versions: StatementSync;
  readonly #versionsOfGroup: StatementSync;
  readonly #page;
  readonly #count;
  readonly #delivered;
  readonly #deliveredPage;
  readonly #knownPage;
  readonly #placedPage;
  readonly #note: StatementSync;
  readonly #noteGroup: StatementSync;
  readonly #beginGroup;
  readonly #undoGroup;
  readonly #endGroup;
  readonly #supersedes;
  readonly #shift;
  readonly #setTime;

  constructor(db: Database) {
    this.#limit = new NewestLimit(db);
    this.#places = new Places(db);
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
       WHERE url > ? AND stream IS NOT NULL ORDER BY url LIMIT ?`,
    );
    [this.#note, this.#noteGroup] = [1, GROUP].map((rows) =>
      db.prepare(
        `INSERT INTO newest (url, time, id, hash) VALUES ${placeholders(rows, 4)}
         ON CONFLICT DO UPDATE SET
         time = excluded.time, id = excluded.id, hash = excluded.hash
         WHERE (excluded.time, excluded.id) > (time, id) OR time > ?`,
      )
    );
    this.#beginGroup = db.prepare("SAVEPOINT noted");
    this.#undoGroup = db.prepare("ROLLBACK TO noted");
    this.#endGroup = db.prepare("RELEASE noted");
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
    const feed = feedIdentity(url);
    const isNews = this.#noteOne({ feed, ...version, place }, { isDelivered, now });
    this.#noteWritten(feed);
    return isNews;
  }

  /**
   * Notes updates one after the other, as {@linkcode note} does, in a transaction of the caller.
   */
  noteAll(
    updates: readonly ReceivedUpdate[],
    { isDelivered, now = Infinity }: Omit<NoteOptions, "place">,
  ): NotedUpdates {
    const noting = { isDelivered, now }, isNews: boolean[] = [];
    for (const group of inGroups(updates)) {
      if (group.length > 1 && this.#areAllNews(group, noting)) {
        isNews.push(...group.map(() => true));
      } else {
        for (const update of group) isNews.push(this.#noteOne(update, noting));
      }
    }
    const isSuperseded = new Array<boolean>(updates.length), later = new Set<string>();
    for (let index = updates.length - 1; index >= 0; index--) {
      const { feed, time, id } = updates[index];
      const isAsked = !isNews[index] || later.has(feed);
      isSuperseded[index] = isAsked && this.#supersedes.get(feed, time, id) !== undefined;
      later.add(feed);
      this.#noteWritten(feed);
    }
    return { isNews, isSuperseded };
  }

  /** Notes a group if all of it is news, each of another feed; otherwise changes nothing. */
  #areAllNews(group: readonly ReceivedUpdate[], { isDelivered, now }: Noting): boolean {
    if (new Set(group.map(({ feed }) => feed)).size < group.length) return false;
    const rows: SQLInputValue[] = [];
    for (const { feed, time, id, hash } of group) rows.push(feed, time, id, hash);
    this.#beginGroup.run();
    const { changes } = this.#noteGroup.run(...rows, now + MAX_AHEAD_MS);
    const areAll = changes === group.length;
    if (areAll) this.#places.add(group, isDelivered);
    else this.#undoGroup.run();
    this.#endGroup.run();
    return areAll;
  }

  #noteOne(update: ReceivedUpdate, { isDelivered, now }: Noting): boolean {
    const { feed, time, id, hash, place } = update;
    const isNews = this.#note.run(feed, time, id, hash, now + MAX_AHEAD_MS).changes > 0;
    if (isNews) this.#places.add([update], isDelivered);
    else if (isDelivered === undefined) this.#places.addAgain(feed, id, place);
    return isNews;
  }

  #noteWritten(feed: string): void {
    this.#revision++;
    this.#limit.noteWritten(feed);
  }

  /** Notes that this update was delivered to the plugins, regardless of cursors. */
  noteDelivered(url: string, id: string): void {
    this.#places.noteDelivered(feedIdentity(url), id);
  }

  /**
   * Notes that the known updates at these seqs were not delivered, although the cursor passes them.
   * Restored updates remain delivered.
   */
  noteMissed(stream: string, seqs: { readonly first: number; readonly last: number }): void {
    this.#places.noteMissed(stream, seqs);
  }

  /** Enforces the maximum sizes. */
  bound(): void {
    this.#limit.enforce();
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
