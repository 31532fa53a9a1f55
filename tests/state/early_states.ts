/** States as they were made before 0.1: their tables changed while their number did not. */
import { DatabaseSync } from "node:sqlite";

/** What did not change until 0.1. */
const COMMON = `
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
CREATE TABLE newest (
  url TEXT PRIMARY KEY, time INTEGER NOT NULL, id TEXT NOT NULL, hash TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE files (path TEXT PRIMARY KEY, hash TEXT) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('server', 'web-1'), ('store', 's3://bucket/prefix');
INSERT INTO publisher VALUES (1, 'web-1_abcdefgh', NULL, 0, 0, 0, 0, NULL, 0, 0);
INSERT INTO outbox (id, url, time, body) VALUES ('a', 'https://example.com/', 1, '"content":1');
`;

const FIRST_CURSORS = `
CREATE TABLE cursors (
  stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, heldSince INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO cursors (stream, seq) VALUES ('web-2_abcdefgh', 7);
`;

const LETTERS = (autoincrement: string) => `
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY ${autoincrement}, plugin TEXT NOT NULL, stream TEXT NOT NULL,
  seq INTEGER NOT NULL, content TEXT NOT NULL, error TEXT NOT NULL, time INTEGER NOT NULL,
  UNIQUE (plugin, stream, seq)
) STRICT;
INSERT INTO dead_letters (plugin, stream, seq, content, error, time)
VALUES ('log', 'web-2_abcdefgh', 3, '{"url":"https://example.com/"}', 'away', 1);
`;

const REPUBLISHED = `
CREATE TABLE republished (
  stream TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (stream, id)
) STRICT, WITHOUT ROWID;
`;

/** Each shape that the tables had, with a queued update, a cursor and a dead letter. */
export const EARLY_STATES: Readonly<Record<string, string>> = {
  "1, the first": `${COMMON} ${FIRST_CURSORS} ${LETTERS("")}
    CREATE TABLE republished (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1`,
  "1, the last": `${COMMON} ${FIRST_CURSORS} ${LETTERS("AUTOINCREMENT")} ${REPUBLISHED}
    CREATE TABLE closed (
      key TEXT PRIMARY KEY, last INTEGER NOT NULL, closedAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1`,
  "2, the first": `${COMMON} ${FIRST_CURSORS} ${LETTERS("AUTOINCREMENT")} ${REPUBLISHED}
    CREATE TABLE closed (
      key TEXT PRIMARY KEY, last INTEGER NOT NULL, closedAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE former_streams (
      stream TEXT PRIMARY KEY, uploaded INTEGER NOT NULL, givenUpAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO former_streams VALUES ('web-1_zzzzzzzz', 3, 0);
    CREATE TABLE seen_commits (
      key TEXT PRIMARY KEY, stream TEXT NOT NULL REFERENCES former_streams ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    INSERT INTO seen_commits VALUES ('k', 'web-1_zzzzzzzz');
    PRAGMA user_version = 2`,
  "2, the last": `${COMMON} ${LETTERS("AUTOINCREMENT")} ${REPUBLISHED}
    CREATE TABLE cursors (
      stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, heldSince INTEGER,
      reach INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    INSERT INTO cursors (stream, seq) VALUES ('web-2_abcdefgh', 7);
    CREATE TABLE former_streams (
      stream TEXT PRIMARY KEY, base INTEGER NOT NULL, uploaded INTEGER NOT NULL,
      givenUpAt INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE seen_objects (
      key TEXT PRIMARY KEY, stream TEXT NOT NULL REFERENCES former_streams ON DELETE CASCADE,
      writer TEXT NOT NULL, last INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 2`,
};

/** Makes a state at `path` by such a script. */
export function makeEarlyState(path: string, script: string): void {
  using db = new DatabaseSync(path);
  db.exec(script);
}
