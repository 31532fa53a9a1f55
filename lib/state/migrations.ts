/**
 * The tables of the state, and how older states are migrated to them.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { StateError } from "../errors.ts";
import { cutDownUrls } from "../base/redact.ts";
import { feedIdentity, shownUrl } from "../feed_url.ts";

/**
 * The format that a program must know to open the state, stored as SQLite's `user_version`. It
 * stays the same while changes are additive: new tables, and new columns with a default where
 * statements name their columns. Then the previous version can still open the state.
 */
export const READER: number = 2;

/** The first numbered format; {@linkcode completeEarlyState} migrates states from before it. */
const FIRST_FORMAT = 2;

const FIRST_SCHEMA = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
  row INTEGER PRIMARY KEY AUTOINCREMENT, -- without holes: plain INSERTs only
  id TEXT NOT NULL, url TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE publisher (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  stream TEXT NOT NULL, previous TEXT, base INTEGER NOT NULL, uploaded INTEGER NOT NULL,
  sealed INTEGER NOT NULL, closed INTEGER NOT NULL,
  openKey TEXT, openBytes INTEGER NOT NULL, openedAt INTEGER NOT NULL
) STRICT;
CREATE TABLE commits (
  key TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE garbage (key TEXT PRIMARY KEY, due INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE former_streams (
  stream TEXT PRIMARY KEY, base INTEGER NOT NULL, uploaded INTEGER NOT NULL,
  givenUpAt INTEGER NOT NULL
) STRICT;
CREATE TABLE seen_objects (
  key TEXT PRIMARY KEY, stream TEXT NOT NULL, writer TEXT NOT NULL, last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE republished (
  stream TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (stream, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE cursors (
  stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, heldSince INTEGER,
  reach INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX unread ON cursors (stream) WHERE reach > seq; -- each poll asks, of however many streams
CREATE TABLE newest (
  url TEXT PRIMARY KEY, time INTEGER NOT NULL, id TEXT NOT NULL, hash TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a dropped one is not used again
  plugin TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL,
  content TEXT NOT NULL, error TEXT NOT NULL, time INTEGER NOT NULL,
  UNIQUE (plugin, stream, seq)
) STRICT;
CREATE TABLE files (path TEXT PRIMARY KEY, hash TEXT) STRICT, WITHOUT ROWID;
`;

/**
 * States of older formats have secrets that must be erased, also from space that was overwritten.
 */
const WIPED_FORMAT = 7;

/** What turns each format into the next one. The first creates all tables. */
const MIGRATIONS: readonly { readonly format: number; readonly sql: string }[] = [
  { format: FIRST_FORMAT, sql: FIRST_SCHEMA },
  {
    format: 3,
    sql: `
CREATE TABLE forgettable ( -- rows of other tables, and when they can be forgotten
  kind TEXT NOT NULL, name TEXT NOT NULL, due INTEGER NOT NULL, PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
`,
  },
  {
    // When a dead letter is retried automatically; NULL: never. The cause of older ones is not
    // known: they are retried at once.
    format: 4,
    sql: `
ALTER TABLE dead_letters ADD COLUMN retryAt INTEGER DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
CREATE INDEX retried_letters ON dead_letters (id) WHERE retryAt IS NOT NULL;
`,
  },
  {
    // The existing rows stay: the previous version looks for them.
    format: 5,
    sql: `
INSERT INTO newest (url, time, id, hash)
SELECT feed_identity(url), time, id, hash FROM newest WHERE feed_identity(url) <> url
ON CONFLICT DO UPDATE SET time = excluded.time, id = excluded.id, hash = excluded.hash
WHERE (excluded.time, excluded.id) > (time, id);
`,
  },
  {
    format: 6,
    sql: `
CREATE TABLE file_feeds ( -- more about what is in files, of which the program before knows nothing
  path TEXT PRIMARY KEY, url TEXT NOT NULL,
  leftHash TEXT, -- content that was seen and not published
  publishedAt INTEGER NOT NULL DEFAULT 0, removedAt INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE scanned_directories (path TEXT PRIMARY KEY, identity TEXT) STRICT, WITHOUT ROWID;
`,
  },
  {
    // Version 0.1 kept errors with URLs in them, which may contain secrets of a plugin.
    format: WIPED_FORMAT,
    sql: `
UPDATE dead_letters SET error = shown_error(error, content ->> 'url');
`,
  },
  {
    // Holds while `lockedAt` is the cursor: the program before moves that without looking here.
    format: 8,
    sql: `
ALTER TABLE cursors ADD COLUMN lockedAt INTEGER;
ALTER TABLE cursors ADD COLUMN lockedBy TEXT; -- why what comes next cannot be read here
`,
  },
  {
    // A table of its own: version 0.1 could not insert into one with more columns.
    format: 9,
    sql: `
CREATE TABLE places (
  url TEXT PRIMARY KEY, id TEXT NOT NULL,
  stream TEXT, seq INTEGER, -- where the update was published
  delivered INTEGER -- whether to all plugins; NULL: determined by the cursor
) STRICT, WITHOUT ROWID;
CREATE VIEW placed_newest AS
SELECT newest.url, time, newest.id, hash, places.id AS placedId, stream, seq, delivered
FROM newest LEFT JOIN places ON places.url = newest.url;
`,
  },
  {
    // An update may arrive twice: in its stream and restored, or in two streams after a fork.
    format: 10,
    sql: `
CREATE INDEX letters_by_update ON dead_letters (plugin, content ->> 'id');
`,
  },
  {
    // Feeds that servers take turns with. Times are milliseconds by the store's clock, 0: never.
    format: 11,
    sql: `
CREATE TABLE turns (
  url TEXT PRIMARY KEY, -- normalised
  feed TEXT NOT NULL, host TEXT NOT NULL, domain TEXT NOT NULL, -- hashes, as in the bucket
  domainName TEXT NOT NULL,
  revision INTEGER NOT NULL, -- of the last change
  addedAt INTEGER NOT NULL,
  askedAt INTEGER, -- NULL: when it was noted last that any were asked for
  everyMs INTEGER NOT NULL,
  checkedAt INTEGER NOT NULL DEFAULT 0, notBefore INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0, ttlMs INTEGER NOT NULL DEFAULT 0,
  leasedUntil INTEGER NOT NULL DEFAULT 0,
  etag TEXT, lastModified TEXT, contentHash TEXT, -- validators, and the hash of their content
  isOwnContent INTEGER NOT NULL DEFAULT 0, -- whether the application here said so
  publishedHash TEXT, publishedAt INTEGER NOT NULL DEFAULT 0, -- since it was handed out
  takenFrom TEXT, takenAt INTEGER NOT NULL DEFAULT 0 -- the owners before, until their checks are known
) STRICT, WITHOUT ROWID;
CREATE INDEX turns_by_feed ON turns (feed);
CREATE INDEX turns_by_revision ON turns (revision);
CREATE TABLE held_hosts (host TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE feed_lists ( -- of other servers
  digest TEXT PRIMARY KEY, seenAt INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
`,
  },
  {
    // What waits for consumers. The program before moves cursors without it: that shows, because
    // inbox_streams then lags behind.
    format: 12,
    sql: `
CREATE TABLE inbox (
  row INTEGER PRIMARY KEY AUTOINCREMENT, -- the order for consumers; never used again
  kind TEXT NOT NULL, -- update, gap, lost, superseded (both were dropped), start (of a consumer)
  id TEXT UNIQUE, -- of an update; NULL otherwise
  stream TEXT, seq INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL DEFAULT 0,
  url TEXT, feed TEXT, -- feed: the normalised URL, where it differs
  time INTEGER, own INTEGER NOT NULL DEFAULT 0, restored INTEGER NOT NULL DEFAULT 0,
  arrivedAt INTEGER NOT NULL, bytes INTEGER NOT NULL,
  body TEXT -- JSON without id, url, time and place
) STRICT;
CREATE TABLE inbox_epochs (first INTEGER PRIMARY KEY, epoch TEXT NOT NULL) STRICT;
CREATE TABLE inbox_streams ( -- up to which seq the inbox has taken in each stream
  stream TEXT PRIMARY KEY, seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE consumers (
  name TEXT PRIMARY KEY, start TEXT NOT NULL, own INTEGER NOT NULL,
  createdAt INTEGER NOT NULL, readAt INTEGER NOT NULL DEFAULT 0,
  row INTEGER NOT NULL, number INTEGER NOT NULL DEFAULT 0 -- acknowledged
) STRICT, WITHOUT ROWID;
CREATE TABLE walks ( -- where a consumer is handed the newest update of every feed
  consumer TEXT NOT NULL, row INTEGER NOT NULL, -- after that row of the inbox
  isFirst INTEGER NOT NULL,
  numberedTo TEXT, -- the last feed in walked_feeds; NULL when there are no more
  PRIMARY KEY (consumer, row)
) STRICT, WITHOUT ROWID;
CREATE TABLE walked_feeds ( -- the feeds of a walk that are not acknowledged yet
  consumer TEXT NOT NULL, row INTEGER NOT NULL, number INTEGER NOT NULL,
  feed TEXT NOT NULL, epoch TEXT NOT NULL, PRIMARY KEY (consumer, row, number)
) STRICT, WITHOUT ROWID;
`,
  },
  {
    // The names that publishers gave their updates.
    format: 13,
    sql: `
CREATE TABLE publications (
  name TEXT PRIMARY KEY, hash TEXT NOT NULL, url TEXT NOT NULL,
  row INTEGER, id TEXT, time INTEGER, -- NULL when nothing had changed
  notedAt INTEGER NOT NULL
) STRICT;
CREATE INDEX publications_by_id ON publications (id);
CREATE INDEX publications_by_age ON publications (notedAt);
`,
  },
  {
    // Places are found by the time of their update: see places.ts. Triggers keep them in step with
    // `newest`, which version 0.1 changes without this table.
    format: 14,
    sql: `
DROP VIEW placed_newest;
ALTER TABLE places RENAME TO former_places;
CREATE TABLE places (
  time INTEGER NOT NULL, url TEXT NOT NULL, -- of a row of newest
  stream TEXT, seq INTEGER, -- where the update was published
  delivered INTEGER, -- whether to all plugins; NULL: determined by the cursor
  PRIMARY KEY (time, url)
) STRICT, WITHOUT ROWID;
INSERT INTO places (time, url, stream, seq, delivered)
SELECT time, url, stream, seq, delivered FROM former_places JOIN newest USING (url, id)
ORDER BY time;
DROP TABLE former_places;
CREATE VIEW placed_newest AS
SELECT url, time, id, hash, stream, seq, delivered FROM newest LEFT JOIN places USING (time, url);
CREATE TRIGGER place_of_replaced AFTER UPDATE OF id ON newest WHEN new.id <> old.id BEGIN
  DELETE FROM places WHERE time = old.time AND url = old.url;
END;
CREATE TRIGGER place_of_corrected AFTER UPDATE OF time ON newest
WHEN new.id = old.id AND new.time <> old.time BEGIN
  UPDATE places SET time = new.time WHERE time = old.time AND url = old.url;
END;
CREATE TRIGGER place_of_forgotten AFTER DELETE ON newest BEGIN
  DELETE FROM places WHERE time = old.time AND url = old.url;
END;
`,
  },
];

/** The newest format that this program writes. */
export const NEWEST_FORMAT: number = MIGRATIONS.at(-1)!.format;

/**
 * Migrates an open database to the newest format, in the transaction of the caller. What a newer
 * version has added stays as it is. Returns whether overwritten space of the file still holds
 * secrets.
 *
 * @throws {StateError} when the database is another program's.
 */
export function migrate(db: DatabaseSync, path: string): { readonly leavesSecrets: boolean } {
  const known = formatOf(db, path);
  db.function("feed_identity", { deterministic: true }, (url) => feedIdentity(String(url)));
  db.function("shown_error", { deterministic: true }, (error, url) => {
    return cutDownUrls(String(error), { [String(url)]: shownUrl(String(url)) });
  });
  if (known > 0 && known <= FIRST_FORMAT) completeEarlyState(db);
  for (const { format, sql } of MIGRATIONS) {
    if (format <= known) continue;
    if (format > FIRST_FORMAT || known === 0) db.exec(sql);
  }
  if (known < NEWEST_FORMAT) {
    db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('format', ?)").run(NEWEST_FORMAT);
  }
  db.exec(`PRAGMA user_version = ${READER}`); // Is it writable?
  const hasLetters = db.prepare("SELECT 1 FROM dead_letters").get() !== undefined;
  return { leavesSecrets: known < WIPED_FORMAT && hasLetters };
}

/**
 * Makes sure that this version can use the database, given its `user_version`. A newer version may
 * migrate it even while this one has it open.
 *
 * @throws {StateError} when it cannot.
 */
export function checkReader(userVersion: number, path: string): void {
  if (userVersion <= READER) return;
  throw new StateError(
    `Cannot use the state ${path}: it has format ${userVersion}, and this version of feedsync knows ` +
      `formats up to ${READER}; restart with the newer version, or use another state file`,
  );
}

/**
 * The format of the database; 0 when it is empty, 1 before the formats were numbered.
 *
 * @throws {StateError} when the database is another program's.
 */
export function formatOf(db: DatabaseSync, path: string): number {
  const reader = Number(db.prepare("PRAGMA user_version").get()!.user_version);
  const tables = new Set(
    db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all().map(({ name }) => name),
  );
  if (reader === 0 && tables.size === 0) return 0;
  if (reader === 0 || !tables.has("meta") || !tables.has("outbox")) {
    throw new StateError(
      `Cannot open the state ${path}: it is another program's database; choose another path`,
    );
  }
  const row = db.prepare("SELECT value FROM meta WHERE key = 'format'").get();
  return Number(row?.value ?? reader);
}

/**
 * Migrates a database from before version 0.1 to the first format. Its tables changed without a new
 * number, so each is checked. Tables about forks are dropped if they have another shape: at worst,
 * updates are delivered twice.
 */
function completeEarlyState(db: DatabaseSync): void {
  const columnsOf = (table: string) =>
    db.prepare("SELECT name FROM pragma_table_info(?)").all(table).map(({ name }) => name);
  const isOutdated = (table: string, column: string) => {
    const columns = columnsOf(table);
    return columns.length > 0 && !columns.includes(column);
  };
  if (isOutdated("cursors", "reach")) {
    db.exec("ALTER TABLE cursors ADD COLUMN reach INTEGER NOT NULL DEFAULT 0");
  }
  if (isOutdated("former_streams", "base")) {
    db.exec("DROP TABLE IF EXISTS seen_commits; DROP TABLE former_streams");
  }
  if (isOutdated("republished", "stream")) db.exec("DROP TABLE republished");
  db.exec("DROP TABLE IF EXISTS seen_commits; DROP TABLE IF EXISTS closed");
  db.exec(FIRST_SCHEMA.replace(/CREATE (TABLE|INDEX) /g, "CREATE $1 IF NOT EXISTS "));
}
