/**
 * What was last seen in each watched feed file.
 *
 * @module
 */
import type { Database } from "./database.ts";

/** What is remembered of a file besides the hash of its content. */
export interface FileFeed {
  /** The URL of its feed, as last seen. */
  readonly url: string;
  /** The hash of content that was seen and left unpublished; null: none. */
  readonly leftHash: string | null;
  /** When its content was last published from here, by the store's clock; 0: never. */
  readonly publishedAt: number;
  /** When its removal was last published from here, by the store's clock; 0: never. */
  readonly removedAt: number;
}

/** What was last seen in each file, and what was published of it. */
export class SeenFiles {
  readonly #get;
  readonly #note;
  readonly #below;
  readonly #feed;
  readonly #noteFeed;
  readonly #removed;
  readonly #former;
  readonly #scanned;
  readonly #noteScanned;

  constructor(db: Database) {
    this.#get = db.prepare("SELECT hash FROM files WHERE path = ?");
    this.#note = db.prepare("INSERT OR REPLACE INTO files (path, hash) VALUES (?, ?)");
    this.#below = db.prepare(
      "SELECT path FROM files WHERE substr(path, 1, length(?1)) = ?1 AND hash IS NOT NULL",
    );
    this.#feed = db.prepare(
      "SELECT url, leftHash, publishedAt, removedAt FROM file_feeds WHERE path = ?",
    );
    this.#noteFeed = db.prepare(
      `INSERT INTO file_feeds (path, url, leftHash, publishedAt, removedAt) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET url = excluded.url, leftHash = excluded.leftHash,
       publishedAt = max(publishedAt, excluded.publishedAt),
       removedAt = max(removedAt, excluded.removedAt)`,
    );
    this.#removed = db.prepare(
      `SELECT count(*) AS count FROM file_feeds
       WHERE substr(path, 1, length(?1)) = ?1 AND removedAt > ?2`,
    );
    this.#former = db.prepare(
      `SELECT 1 FROM files LEFT JOIN file_feeds USING (path)
       WHERE substr(path, 1, length(?1)) = ?1 AND hash IS NOT NULL AND url IS NULL LIMIT 1`,
    );
    this.#scanned = db.prepare("SELECT identity FROM scanned_directories WHERE path = ?");
    this.#noteScanned = db.prepare(
      `INSERT INTO scanned_directories (path, identity) VALUES (?, ?) ON CONFLICT DO UPDATE SET
       identity = coalesce(excluded.identity, identity)`,
    );
  }

  /** The hash of the content last seen; null when the file was gone, undefined when it was never seen. */
  get(path: string): string | null | undefined {
    return this.#get.get(path)?.hash as string | null | undefined;
  }

  /** What else is remembered; undefined when nothing is, as in states of version 0.1. */
  feed(path: string): FileFeed | undefined {
    return this.#feed.get(path) as FileFeed | undefined;
  }

  /** Remembers the hash of the content seen; null: the file is gone. */
  note(path: string, hash: string | null): void {
    this.#note.run(path, hash);
  }

  /** Remembers more of the file. Times that are left out stay as they are. */
  noteFeed(path: string, feed: Pick<FileFeed, "url"> & Partial<FileFeed>): void {
    const { url, leftHash = null, publishedAt = 0, removedAt = 0 } = feed;
    this.#noteFeed.run(path, url, leftHash, publishedAt, removedAt);
  }

  /** Paths that start with `prefix` and existed when they were last seen. */
  existing(prefix: string): string[] {
    return this.#below.all(prefix).map(({ path }) => String(path));
  }

  /** Whether version 0.1 saw files below `prefix`. */
  hasFormer(prefix: string): boolean {
    return this.#former.get(prefix) !== undefined;
  }

  /** How many files below `prefix` were published as gone after `time`. */
  removedSince(prefix: string, time: number): number {
    return Number(this.#removed.get(prefix, time)!.count);
  }

  /**
   * Which directory any run has scanned completely at this path: null when its identity is not known, undefined
   * when none was scanned.
   */
  scanned(directory: string): string | null | undefined {
    return this.#scanned.get(directory)?.identity as string | null | undefined;
  }

  /** Remembers that the directory was scanned; without an identity, the known one stays. */
  noteScanned(directory: string, identity: string | undefined): void {
    this.#noteScanned.run(directory, identity ?? null);
  }
}
