/**
 * Keeps the newest update of each feed in a table of an SQLite database, for other programs to read.
 * The database is in WAL mode: they can read while updates are written.
 *
 * | column | holds |
 * |---|---|
 * | `url` | primary key |
 * | `content` | text, JSON text or a BLOB, see `encoding`; NULL when the feed is gone |
 * | `encoding` | `'text'`, `'json'` or `'bytes'`; NULL when the feed is gone |
 * | `metadata` | a JSON object |
 * | `server`, `time`, `id`, `stream`, `seq` | of the update; `time` is ISO 8601 in UTC |
 * | `removed` | 1 when the feed is gone, else 0 |
 *
 * An update never overwrites a newer one, and each is on the disk when it counts as applied.
 *
 * | option | default | |
 * |---|---|---|
 * | `path` | required | the database file; made when missing; relative to the configuration file |
 * | `table` | `"feeds"` | letters, digits and `_`; made when missing |
 *
 * @example In feedsync.json
 * ```json
 * { "plugins": [["sqlite", { "path": "./feeds.db" }]] }
 * ```
 *
 * @module
 */
import { type AnyPlugin, definePlugin, type Update } from "@feedsync/feedsync";
import { dirname, resolve } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { messageOf } from "../lib/errors.ts";

/** Options of the plugin `sqlite`. */
export interface SqliteOptions {
  /** The database file; made when missing. Relative to the directory of the configuration. */
  readonly path: string;
  /** The table: letters, digits and `_`. @default {"feeds"} */
  readonly table?: string | undefined;
}

/** The plugin `sqlite`, for `connect` and `watch` in programs. */
const sqlite: AnyPlugin<SqliteOptions> = definePlugin({
  name: "sqlite",
  options: z.strictObject({
    path: z.string().min(1),
    table: z.string().regex(/^[a-z_][a-z0-9_]*$/i, "must be letters, digits and _").default(
      "feeds",
    ),
  }),
  async setup({ options: { path, table }, directory }) {
    const file = resolve(directory, path);
    await Deno.mkdir(dirname(file), { recursive: true });
    return open(file, table);
  },
  async onUpdate(update, { state: { upsert }, signal }) {
    if (update.superseded) return;
    const row = toRow(update);
    await unlessLocked(() => upsert.run(row), signal);
  },
  close({ state: { database } }) {
    database.close();
  },
});
export default sqlite;

/** Opens the database; only here, where nothing else runs yet, waiting for a lock may block. */
function open(file: string, table: string) {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 5_000 });
    database.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS "${table}" (
        url TEXT PRIMARY KEY,
        content,
        encoding TEXT,
        metadata TEXT NOT NULL,
        server TEXT NOT NULL,
        time TEXT NOT NULL,
        id TEXT NOT NULL,
        stream TEXT NOT NULL,
        seq INTEGER NOT NULL,
        removed INTEGER NOT NULL
      );
      PRAGMA busy_timeout = 0;
    `);
    return { database, upsert: database.prepare(upsertSql(table)) };
  } catch (cause) {
    database?.close();
    throw new Error(`Cannot use table ${table} of ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** Which update is newer is decided here as everywhere in feedsync: by time, then by id. */
function upsertSql(table: string): string {
  return `
    INSERT INTO "${table}"
      (url, content, encoding, metadata, server, time, id, stream, seq, removed)
    VALUES
      ($url, $content, $encoding, $metadata, $server, $time, $id, $stream, $seq, $removed)
    ON CONFLICT (url) DO UPDATE SET
      content = excluded.content, encoding = excluded.encoding, metadata = excluded.metadata,
      server = excluded.server, time = excluded.time, id = excluded.id,
      stream = excluded.stream, seq = excluded.seq, removed = excluded.removed
    WHERE (excluded.time, excluded.id) > ("${table}".time, "${table}".id)`;
}

function toRow(update: Update): Record<string, SQLInputValue> {
  const { url, metadata, server, time, id, stream, seq, removed } = update;
  return {
    ...{ $url: url, $server: server, $time: time, $id: id, $stream: stream, $seq: seq },
    ...toColumns(update),
    $metadata: JSON.stringify(metadata),
    $removed: removed ? 1 : 0,
  };
}

function toColumns({ content, removed }: Update): Record<string, SQLInputValue> {
  if (removed) return { $content: null, $encoding: null };
  if (content instanceof Uint8Array) return { $content: content, $encoding: "bytes" };
  if (typeof content === "string") return { $content: content, $encoding: "text" };
  return { $content: JSON.stringify(content), $encoding: "json" };
}

const SQLITE_BUSY = 5;
const LOCK_POLL_MS = 20;

/** Waits while another program writes, without blocking; SQLite's own timeout would. */
async function unlessLocked(write: () => void, signal: AbortSignal): Promise<void> {
  while (true) {
    signal.throwIfAborted();
    try {
      return write();
    } catch (error) {
      const busy = error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
      if (!busy) throw error;
    }
    await sleep(LOCK_POLL_MS);
  }
}
