/** A state as feedsync 0.1 left it behind. */
import { DatabaseSync } from "node:sqlite";

/** What 0.1 began a new state with. */
const SCHEMA = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
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
CREATE INDEX unread ON cursors (stream) WHERE reach > seq;
CREATE TABLE newest (
  url TEXT PRIMARY KEY, time INTEGER NOT NULL, id TEXT NOT NULL, hash TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  plugin TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL,
  content TEXT NOT NULL, error TEXT NOT NULL, time INTEGER NOT NULL,
  UNIQUE (plugin, stream, seq)
) STRICT;
CREATE TABLE files (path TEXT PRIMARY KEY, hash TEXT) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
`;

/** Makes such a state at `path`, of no server and with nothing in it, and changes it with `fill`. */
export function makeOldState(path: string, fill: (db: DatabaseSync) => unknown): void {
  const db = new DatabaseSync(path);
  db.exec(SCHEMA);
  fill(db);
  db.close();
}
