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
 * An update never overwrites a newer one, and each is on the disk when it counts as applied. While
 * another program holds a lock, or the disk is full, reading waits.
 *
 * When the file is deleted or replaced under it, the plugin notices with the next update, makes the file
 * anew if need be, and writes into it all that it had written into the old one and that is not there.
 * Until that is done it keeps those rows in a file beside it, `<path>.<table>.rescued`.
 *
 * When the file was lost while the server was stopped, the plugin warns at the start that the table is empty:
 * updates that were applied are not handed over again.
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
import { resolve } from "node:path";
import type { SQLInputValue } from "node:sqlite";
import { z } from "zod";
import { FeedTable } from "../lib/plugins/feed_table.ts";

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
  async setup({ options: { path, table }, directory, logger, wasUsed }) {
    const file = resolve(directory, path);
    const feeds = new FeedTable(file, table, logger);
    const isEmpty = await feeds.open();
    if (isEmpty && wasUsed) {
      logger.warn(
        `The table ${table} of ${file} is empty, although it was used before: if it was lost, what was ` +
          "in it is missing. To have what is still in the bucket, start with a new state",
      );
    }
    return feeds;
  },
  async onUpdate(update, { state: feeds, signal }) {
    if (!update.superseded) await feeds.write(toRow(update), signal);
  },
  close({ state: feeds }) {
    feeds.close();
  },
});
export default sqlite;

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
