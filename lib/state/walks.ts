/**
 * Walks of consumers through all feeds, to be handed the newest update of each: at the beginning,
 * and after updates were dropped unread. Feeds get numbers page by page, so that cursors are short,
 * and a walk goes on where it was when it is interrupted.
 *
 * @module
 */
import type { Database } from "./database.ts";
import type { Position } from "./consumers.ts";

/** A walk that begins behind a row of the inbox. */
export interface Walk {
  /** Whether it is the first of its consumer: then feeds that are gone are left out. */
  readonly isFirst: boolean;
  /** The feeds up to this one have numbers; null when all have. */
  readonly numberedTo: string | null;
}

/** A feed in a walk. */
export interface WalkedFeed {
  readonly number: number;
  readonly feed: string;
  /** The epoch in which it got its number. */
  readonly epoch: string;
}

/** The feeds that get the next numbers. */
export interface NumberedFeeds {
  readonly feeds: readonly string[];
  /** See {@linkcode Walk.numberedTo}, afterwards. */
  readonly numberedTo: string | null;
  /** The epoch of this process. */
  readonly epoch: string;
}

/** A consumer, and a row of the inbox. */
export interface WalkKey {
  readonly name: string;
  readonly row: number;
}

/** The walks. All methods that write must be called in a transaction. */
export class Walks {
  readonly #get;
  readonly #begin;
  readonly #setNumbered;
  readonly #addFeed;
  readonly #feeds;
  readonly #epochOf;
  readonly #lastNumber;
  readonly #dropWalks;
  readonly #dropFeeds;
  readonly #left;

  constructor(db: Database) {
    this.#get = db.prepare(
      "SELECT isFirst, numberedTo FROM walks WHERE consumer = ? AND row = ?",
    );
    this.#begin = db.prepare(
      "INSERT OR IGNORE INTO walks (consumer, row, isFirst, numberedTo) VALUES (?, ?, ?, '')",
    );
    this.#setNumbered = db.prepare(
      "UPDATE walks SET numberedTo = ? WHERE consumer = ? AND row = ?",
    );
    this.#addFeed = db.prepare(
      "INSERT INTO walked_feeds (consumer, row, number, feed, epoch) VALUES (?, ?, ?, ?, ?)",
    );
    this.#feeds = db.prepare(
      `SELECT number, feed, epoch FROM walked_feeds WHERE consumer = ? AND row = ? AND number > ?
       ORDER BY number LIMIT ?`,
    );
    this.#epochOf = db.prepare(
      "SELECT epoch FROM walked_feeds WHERE consumer = ? AND row = ? AND number = ?",
    );
    this.#lastNumber = db.prepare(
      "SELECT max(number) AS number FROM walked_feeds WHERE consumer = ? AND row = ?",
    );
    this.#dropWalks = db.prepare("DELETE FROM walks WHERE consumer = ? AND row < ?");
    this.#dropFeeds = db.prepare(
      `DELETE FROM walked_feeds WHERE consumer = ?1 AND (row < ?2 OR row = ?2 AND number < ?3)`,
    );
    this.#left = db.prepare(
      `SELECT (SELECT count(*) FROM walked_feeds WHERE consumer = ?1 AND row = ?2 AND number > ?3)
       + (SELECT count(*) FROM newest, walks
          WHERE consumer = ?1 AND row = ?2 AND newest.url > numberedTo) AS feeds`,
    );
  }

  /** The walk of a consumer behind a row; undefined when there is none. */
  get({ name, row }: WalkKey): Walk | undefined {
    const walk = this.#get.get(name, row);
    return walk && { isFirst: walk.isFirst === 1, numberedTo: walk.numberedTo as string | null };
  }

  /** Begins a walk, unless there is one. */
  begin({ name, row }: WalkKey, { isFirst }: { readonly isFirst: boolean }): void {
    this.#begin.run(name, row, Number(isFirst));
  }

  /** Numbers the next feeds; returns the last number. */
  number({ name, row }: WalkKey, { feeds, numberedTo, epoch }: NumberedFeeds): number {
    let number = this.#lastNumberOf({ name, row });
    for (const feed of feeds) this.#addFeed.run(name, row, ++number, feed, epoch);
    this.#setNumbered.run(numberedTo, name, row);
    return number;
  }

  /** The next numbered feeds behind a position. */
  feedsAfter(name: string, { row, number }: Position, limit: number): WalkedFeed[] {
    return this.#feeds.all(name, row, number, limit) as unknown as WalkedFeed[];
  }

  /** The epoch in which a feed got its number; undefined when it is not known. */
  epochOf(name: string, { row, number }: Position): string | undefined {
    return this.#epochOf.get(name, row, number)?.epoch as string | undefined;
  }

  /** How many feeds are left behind a position. */
  left(name: string, { row, number }: Position): number {
    return Number(this.#left.get(name, row, number)!.feeds);
  }

  /** Forgets what is before a position, except for the last feed. */
  passed(name: string, { row, number }: Position): void {
    this.#dropWalks.run(name, row);
    this.#dropFeeds.run(name, row, number);
  }

  /** Forgets all walks of a consumer. */
  forget(name: string): void {
    this.passed(name, { row: Number.MAX_SAFE_INTEGER, number: 0 });
  }

  #lastNumberOf({ name, row }: WalkKey): number {
    return Number(this.#lastNumber.get(name, row)?.number ?? 0);
  }
}
