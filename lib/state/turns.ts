/**
 * The feeds that this server takes turns with: what the application asked for, and what is known of
 * their checks. Times are milliseconds by the store's clock; 0 means never.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** What is known of a feed. */
export interface TurnRow {
  /** Normalised URL. */
  readonly url: string;
  /** Hash of the URL, as in the bucket. */
  readonly feed: string;
  /** Hash of its host. */
  readonly host: string;
  /** Hash of its registrable domain. */
  readonly domain: string;
  /** The registrable domain. */
  readonly domainName: string;
  /** When it was first asked for. */
  readonly addedAt: number;
  /** When it was last asked for, coarsely; null: at {@linkcode Turns.askedAt}. */
  readonly askedAt: number | null;
  /** How often the application wants to check it. */
  readonly everyMs: number;
  /** When it was last checked, by any server. */
  readonly checkedAt: number;
  /** Not to be fetched before. */
  readonly notBefore: number;
  /** Number of failures in a row. */
  readonly failures: number;
  /** How long the feed itself asks not to be fetched again. */
  readonly ttlMs: number;
  /** Until when it is handed out. */
  readonly leasedUntil: number;
  /** Validators of the content with the hash. */
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly contentHash: string | null;
  /** Whether the application here has named the content with the hash; 0 or 1. */
  readonly isOwnContent: number;
  /** Hash of the content that was published with `ifChanged` since the feed was handed out. */
  readonly publishedHash: string | null;
  readonly publishedAt: number;
  /** Names of the owners before, with spaces between them, until their checks are known. */
  readonly takenFrom: string | null;
  /** When it was noticed that this server is the owner now. */
  readonly takenAt: number;
}

/** What another server knows of the last check of a feed. */
export type KnownCheck =
  & Pick<TurnRow, "feed" | "checkedAt" | "notBefore" | "failures">
  & Pick<TurnRow, "etag" | "lastModified" | "contentHash">;

/** A host or domain that asked to be left alone. */
export interface HeldHostRow {
  /** Hash of its name. */
  readonly host: string;
  /** Until when. */
  readonly until: number;
}

const COLUMNS = [
  ...["url", "feed", "host", "domain", "domainName", "addedAt", "askedAt", "everyMs"],
  ...["checkedAt", "notBefore", "failures", "ttlMs", "leasedUntil"],
  ...["etag", "lastModified", "contentHash", "isOwnContent", "publishedHash", "publishedAt"],
  ...["takenFrom", "takenAt"],
] as (keyof TurnRow)[];

/** The next revision; each change of a row gets one. */
const NEXT = "(SELECT coalesce(max(revision), 0) + 1 FROM turns)";

/** Single values beside the rows. */
type Fact =
  /** When any feeds were asked for, coarsely. */
  | "turnsAskedAt"
  /** The longest delay between two asks for a feed of late, in milliseconds. */
  | "turnsAskedEveryMs"
  /** Identifies the way in which URLs are hashed. */
  | "turnsHashes"
  /** The view by which owners were told last, as JSON. */
  | "turnsView"
  /** When the presences of that view were listed. */
  | "turnsViewedAt"
  /** Changes with each noted view. */
  | "turnsViewId"
  /** When this server had looked at the fleet for the first time, or again after it was away. */
  | "turnsReturnedAt"
  /** What the presence says about turns, as JSON. */
  | "turnsReport"
  /** When the checks were written last. */
  | "checksWrittenAt"
  /** The last revision in them. */
  | "checksRevision"
  /** Whether another server has taken feeds over that it may find in the checks; 0 or 1. */
  | "checksAwaited";

/** The feeds that this server takes turns with. */
export class Turns {
  readonly #getFact;
  readonly #setFact;
  readonly #revision;
  readonly #changed;
  readonly #save;
  readonly #drop;
  readonly #notePublished;
  readonly #noteCheck;
  readonly #toHandOver;
  readonly #held;
  readonly #hold;
  readonly #dropHeld;
  readonly #list;
  readonly #listBytes;
  readonly #addList;
  readonly #noteLists;
  readonly #dropLists;

  constructor(db: Database) {
    this.#getFact = db.prepare("SELECT value FROM meta WHERE key = ?");
    this.#setFact = db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
    this.#revision = db.prepare("SELECT max(revision) AS revision FROM turns");
    this.#changed = db.prepare(
      `SELECT ${COLUMNS.join(", ")} FROM turns WHERE revision > ? ORDER BY revision`,
    );
    const values = COLUMNS.map(() => "?").join(", ");
    this.#save = db.prepare(
      `INSERT OR REPLACE INTO turns (${COLUMNS.join(", ")}, revision) VALUES (${values}, ?)`,
    );
    this.#drop = db.prepare(
      "DELETE FROM turns WHERE url = ? AND revision < (SELECT max(revision) FROM turns)",
    );
    this.#notePublished = db.prepare(
      `UPDATE turns SET checkedAt = max(checkedAt, ?2), leasedUntil = 0, publishedHash = ?3, publishedAt = ?2, revision = ${NEXT} WHERE url = ?1`,
    );
    this.#noteCheck = db.prepare(
      `UPDATE turns SET checkedAt = ?2, notBefore = ?3, failures = ?4, etag = ?5,
       lastModified = ?6, contentHash = ?7, isOwnContent = 0, revision = ${NEXT}
       WHERE feed = ?1 AND checkedAt < ?2`,
    );
    this.#toHandOver = db.prepare(
      `SELECT ${COLUMNS.join(", ")} FROM turns
       WHERE checkedAt > 0 AND (checkedAt > ?1 - 2 * everyMs OR notBefore > ?1)
       ORDER BY checkedAt DESC LIMIT ?2`,
    );
    this.#held = db.prepare("SELECT host, until FROM held_hosts WHERE until > ? LIMIT ?");
    this.#hold = db.prepare(
      `INSERT INTO held_hosts (host, until) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET until = excluded.until`,
    );
    this.#dropHeld = db.prepare("DELETE FROM held_hosts WHERE until <= ?");
    this.#list = db.prepare("SELECT body FROM feed_lists WHERE digest = ?");
    this.#listBytes = db.prepare("SELECT coalesce(sum(length(body)), 0) AS bytes FROM feed_lists");
    this.#addList = db.prepare(
      "INSERT OR IGNORE INTO feed_lists (digest, seenAt, body) VALUES (?, ?, ?)",
    );
    this.#noteLists = db.prepare(
      "UPDATE feed_lists SET seenAt = ? WHERE digest IN (SELECT value FROM json_each(?))",
    );
    this.#dropLists = db.prepare("DELETE FROM feed_lists WHERE seenAt < ?");
  }

  /** Reads a fact. */
  fact(name: Fact): string | number | undefined {
    return this.#getFact.get(name)?.value as string | number | undefined;
  }

  /** Writes a fact. */
  setFact(name: Fact, value: string | number): void {
    this.#setFact.run(name, value);
  }

  /** When feeds whose `askedAt` is null were asked for. */
  askedAt(): number {
    return Number(this.fact("turnsAskedAt") ?? 0);
  }

  /** The last revision; 0 before the first row. */
  revision(): number {
    return Number(this.#revision.get()!.revision ?? 0);
  }

  /** The rows that were changed after that revision. */
  changedAfter(revision: number): TurnRow[] {
    return this.#changed.all(revision) as unknown as TurnRow[];
  }

  /** Adds rows or replaces them, all with one new revision, which it returns. */
  save(rows: Iterable<TurnRow>): number {
    const revision = this.revision() + 1;
    for (const row of rows) this.#save.run(...COLUMNS.map((column) => row[column]), revision);
    return revision;
  }

  /** Forgets feeds, but not the last one that was changed: no revision is used twice. */
  drop(urls: Iterable<string>): void {
    for (const url of urls) this.#drop.run(url);
  }

  /** Notes that the content of a feed was published, or found unchanged: it was checked. */
  notePublished(url: string, { hash, time }: { hash: string | null; time: number }): void {
    this.#notePublished.run(url, time, hash);
  }

  /** Notes a check by another server, unless a later one is known. */
  noteCheck({ feed, checkedAt, notBefore, failures, ...validators }: KnownCheck): void {
    const { etag, lastModified, contentHash } = validators;
    this.#noteCheck.run(feed, checkedAt, notBefore, failures, etag, lastModified, contentHash);
  }

  /** The feeds that were checked within twice their interval, or are left alone; newest first. */
  toHandOver(now: number, limit: number): TurnRow[] {
    return this.#toHandOver.all(now, limit) as unknown as TurnRow[];
  }

  /** The hosts and domains that are left alone, at most `limit`. */
  held(now: number, limit: number): HeldHostRow[] {
    return this.#held.all(now, limit) as unknown as HeldHostRow[];
  }

  /** Leaves a host or domain alone, given the hash of its name. */
  hold({ host, until }: HeldHostRow): void {
    this.#hold.run(host, until);
  }

  /** Forgets hosts that were left alone until then. */
  dropHeld(now: number): void {
    this.#dropHeld.run(now);
  }

  /** The list of another server. */
  list(digest: string): Uint8Array | undefined {
    return this.#list.get(digest)?.body as Uint8Array | undefined;
  }

  /** Size of all lists in bytes. */
  listBytes(): number {
    return Number(this.#listBytes.get()!.bytes);
  }

  /** Adds the list of another server. */
  addList(digest: string, body: Uint8Array, now: number): void {
    this.#addList.run(digest, now, body);
  }

  /** Notes that presences name these lists, and forgets those that none has named since `before`. */
  noteLists(digests: readonly string[], { now, before }: { now: number; before: number }): void {
    this.#noteLists.run(now, JSON.stringify(digests));
    this.#dropLists.run(before);
  }
}
