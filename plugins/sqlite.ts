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
import {
  type AnyPlugin,
  BackendUnavailableError,
  definePlugin,
  type PluginLogger,
  RejectedUpdateError,
  type Update,
} from "@feedsync/feedsync";
import { messageOf, renameDurably } from "@feedsync/feedsync/plugin";
import { dirname, resolve } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

const COLUMNS = [
  ...["url", "content", "encoding", "metadata", "server", "time", "id", "stream", "seq"],
  "removed",
];

/** Another program's lock is waited for: when nothing else runs yet, and in the middle of work. */
const OPEN_TIMEOUT_MS = 5_000, MAX_LOCK_MS = 500, LOCK_POLL_MS = 20;

/** Result codes, https://sqlite.org/rescode.html. */
const BUSY = 5, FULL = 13, TOO_BIG = 18;

/** The same of a database whose table is gone or damaged: waiting brings nothing back. */
const UNREADABLE = [1, 11, 26];

/** An open database, and which files it consists of. */
interface Opened {
  readonly database: DatabaseSync;
  readonly upsert: StatementSync;
  /** Identity of the file, and of those beside it, by their paths. */
  readonly identities: ReadonlyMap<string, string | undefined>;
}

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

/** The table, in a file that other programs may lock, delete or replace at any time. */
class FeedTable {
  readonly #file: string;
  readonly #table: string;
  readonly #logger: PluginLogger;
  #opened: Opened | undefined;
  #reopening: Promise<void> | undefined;

  /** The table in the database at `file`, which is not open yet. */
  constructor(file: string, table: string, logger: PluginLogger) {
    this.#file = file;
    this.#table = table;
    this.#logger = logger;
  }

  /**
   * Opens the database; file, directory and table are made when they are missing. Resolves to whether the
   * table is empty.
   */
  async open(timeoutMs: number = OPEN_TIMEOUT_MS): Promise<boolean> {
    await Deno.mkdir(dirname(this.#file), { recursive: true });
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(this.#file, { timeout: timeoutMs });
      database.exec(`PRAGMA journal_mode = WAL; ${creation(this.#table)}`);
      const identity = await identityOf(this.#file); // Before others have much time to replace it.
      const upsert = database.prepare(upsertion(this.#table, VALUES));
      await this.#takeRescued(database);
      database.exec("PRAGMA busy_timeout = 0");
      const [wal, shm] = [`${this.#file}-wal`, `${this.#file}-shm`];
      const beside = [[wal, await identityOf(wal)], [shm, await identityOf(shm)]] as const;
      const isEmpty = database.prepare(`SELECT 1 FROM "${this.#table}"`).get() === undefined;
      this.#opened = { database, upsert, identities: new Map([[this.#file, identity], ...beside]) };
      return isEmpty;
    } catch (cause) {
      database?.close();
      throw new Error(`Cannot use table ${this.#table} of ${this.#file}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  /**
   * Writes a row, unless there is a newer one of its URL: into the file that is at the path after that.
   *
   * @throws {BackendUnavailableError} when the database cannot be written.
   * @throws {RejectedUpdateError} when the row is too large for any.
   */
  async write(row: Record<string, SQLInputValue>, signal: AbortSignal): Promise<void> {
    let written: Opened | undefined;
    do {
      while (!await this.#isCurrent(this.#opened)) await this.#reopen();
      written = await this.#insert(row, signal);
    } while (!written || !await this.#isCurrent(written));
  }

  /** Closes the database. */
  close(): void {
    this.#opened?.database.close();
    this.#opened = undefined;
  }

  /** Whether it is what is open, and what other programs find at the path. */
  async #isCurrent(opened: Opened | undefined): Promise<boolean> {
    return opened !== undefined && await lostFile(opened) === undefined && opened === this.#opened;
  }

  /** Resolves to what the row is written into; undefined when that is not open any more. */
  async #insert(
    row: Record<string, SQLInputValue>,
    signal: AbortSignal,
  ): Promise<Opened | undefined> {
    const until = performance.now() + MAX_LOCK_MS;
    for (let opened = this.#opened; opened && opened === this.#opened;) {
      signal.throwIfAborted();
      try {
        opened.upsert.run(row);
        return opened;
      } catch (error) {
        if (codeOf(error) !== BUSY || performance.now() > until) throw this.#failure(error);
      }
      await sleep(LOCK_POLL_MS);
      if (!await this.#isCurrent(opened)) opened = undefined;
    }
    return undefined;
  }

  #failure(cause: unknown): Error {
    const message = `Cannot write to ${this.#file}: ${messageOf(cause)}`;
    const code = codeOf(cause);
    if (code === TOO_BIG) return new RejectedUpdateError(message, { cause });
    if (code === undefined) return new Error(message, { cause });
    // Damaged, or without its table: opened anew it may work.
    if (![BUSY, FULL].includes(code)) this.close();
    return new BackendUnavailableError(message, { cause });
  }

  /** Opens what is at the path now, once for all who find out that it is not what was open. */
  async #reopen(): Promise<void> {
    this.#reopening ??= this.#openAnew().finally(() => this.#reopening = undefined);
    await this.#reopening;
  }

  async #openAnew(): Promise<void> {
    try {
      const old = this.#opened;
      if (old) {
        const lost = await lostFile(old) ?? this.#file;
        this.#logger.warn(`${lost} was deleted or replaced; what was written to it is kept`);
        await this.#rescue(old.database);
        this.close();
        await this.#removeLeftovers(old);
      }
      await this.open(0);
    } catch (cause) {
      throw new BackendUnavailableError(messageOf(cause), { cause });
    }
  }

  /** Files beside the old one would be taken for parts of the new one. */
  async #removeLeftovers({ identities }: Opened): Promise<void> {
    for (const [path, identity] of identities) {
      if (path === this.#file || identity === undefined) continue;
      if (await identityOf(path) === identity) await removeIfThere(path);
    }
  }

  /** Where rows are kept until they are in the file at the path, even if the process ends. */
  get #rescued(): string {
    return `${this.#file}.${this.#table}.rescued`;
  }

  /** Copies all rows of a file that is not at the path any more. */
  async #rescue(database: DatabaseSync): Promise<void> {
    await Deno.mkdir(dirname(this.#file), { recursive: true });
    const unfinished = `${this.#rescued}.tmp`;
    await removeIfThere(unfinished);
    database.prepare("ATTACH ? AS rescued").run(unfinished);
    try {
      database.prepare(`CREATE TABLE rescued.feeds AS SELECT * FROM main."${this.#table}"`).run();
    } catch (error) {
      if (!UNREADABLE.includes(codeOf(error) ?? BUSY)) throw error;
      this.#logger.error(`Cannot keep what was written to ${this.#file}: ${messageOf(error)}`);
      return;
    } finally {
      database.exec("DETACH rescued");
    }
    await renameDurably(unfinished, this.#rescued);
  }

  /** Writes what was rescued into the database, unless something newer is there. */
  async #takeRescued(database: DatabaseSync): Promise<void> {
    if (await identityOf(this.#rescued) === undefined) return;
    database.prepare("ATTACH ? AS rescued").run(this.#rescued);
    database.exec(upsertion(this.#table, "SELECT * FROM rescued.feeds WHERE true"));
    database.exec("DETACH rescued");
    await Deno.remove(this.#rescued);
  }
}

const VALUES = `VALUES (${COLUMNS.map((column) => `$${column}`)})`;

function creation(table: string): string {
  return `
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
    )`;
}

/** Which update is newer is decided here as everywhere in feedsync: by time, then by id. */
function upsertion(table: string, rows: string): string {
  const changes = COLUMNS.slice(1).map((column) => `${column} = excluded.${column}`);
  return `
    INSERT INTO "${table}" (${COLUMNS}) ${rows}
    ON CONFLICT (url) DO UPDATE SET ${changes}
    WHERE (excluded.time, excluded.id) > ("${table}".time, "${table}".id)`;
}

/** What tells a file from another one at its path; undefined when there is none. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await Deno.stat(path);
    return `${dev}/${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new BackendUnavailableError(`Cannot look at ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Which file is not at its path any more: what is in the log of a database is in no other file. */
async function lostFile({ identities }: Opened): Promise<string | undefined> {
  for (const [path, identity] of identities) {
    if (await identityOf(path) !== identity) return path;
  }
  return undefined;
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The primary result code of an error of SQLite. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return Number(error.errcode) & 0xff;
}
