/**
 * The SQLite database behind the state: schema, transactions, errors.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { messageOf, StateError } from "../errors.ts";
import { checkReader, migrate } from "./migrations.ts";
import { guarded } from "./sqlite_errors.ts";
import { checkWhole } from "./whole.ts";

/** How long to wait for another process that writes. */
export const BUSY_TIMEOUT_MS = 5000;

/** An open database with its transactions. */
export class Database implements Disposable {
  /** A file, or `:memory:`. */
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #userVersion: StatementSync;
  #inTransaction = false;
  #durable = true;
  #wal: Deno.FsFile | undefined;

  /**
   * Opens or creates the database. A new one has no log before {@linkcode beginLog}. An exclusive
   * one has none at all, and nobody else can open it until it is closed.
   *
   * @throws {StateError} when it cannot be used, or a part of it is missing.
   */
  constructor(path: string, { isExclusive = false }: { readonly isExclusive?: boolean } = {}) {
    this.path = path;
    checkWhole(path);
    makePrivate(path);
    this.#db = this.#guard(() => new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS }), "open");
    try {
      if (isExclusive) this.#lockOthersOut();
      this.#userVersion = this.#guard(() => this.#db.prepare("PRAGMA user_version"), "open");
      this.#guard(() => this.#initialize(), "open");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /**
   * From now on, writes changes to a log beside the file, so that readers and a writer do not wait for each
   * other. What must be in the file itself, however it is copied, is to be written before.
   *
   * @throws {StateError} when it cannot be used.
   */
  beginLog(): void {
    this.#guard(() => {
      this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000");
      const { user_version: same } = this.#db.prepare("PRAGMA user_version").get()!;
      this.#db.exec(`PRAGMA user_version = ${same}`); // Any write creates the log, which sync() needs.
    }, "open");
  }

  /** Prepares a statement. */
  prepare(sql: string): StatementSync {
    return this.#db.prepare(sql);
  }

  /**
   * Runs `work` in one transaction; nested calls join the outermost one. Afterwards the changes survive a crash
   * of the process and, with `durable` (the default), of the machine.
   *
   * @throws {StateError} when the database cannot be written; then nothing is changed.
   */
  transaction<T>(work: () => T, { durable = true }: { durable?: boolean } = {}): T {
    if (this.#inTransaction) return work();
    return this.#guard(() => {
      if (durable !== this.#durable) {
        this.#db.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
        this.#durable = durable;
      }
      this.#db.exec("BEGIN IMMEDIATE");
      this.#inTransaction = true;
      try {
        const { user_version } = this.#userVersion.get()!;
        checkReader(Number(user_version), this.path);
        const result = work();
        this.#db.exec("COMMIT");
        return result;
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      } finally {
        this.#inTransaction = false;
      }
    }, "write to");
  }

  /**
   * Resolves when everything that was written so far survives a crash of the machine. Unlike a durable
   * transaction, this does not block the process while the disk is busy.
   *
   * @throws {StateError} when the disk fails.
   */
  async sync(): Promise<void> {
    if (this.path === ":memory:") return;
    try {
      this.#wal ??= Deno.openSync(`${this.path}-wal`, { write: true });
      await this.#wal.syncData();
    } catch (cause) {
      throw new StateError(`Cannot write to the state ${this.path}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  /**
   * Moves what was written so far from the log to the file itself, unless a reader prevents it: a copy may lack
   * the log.
   *
   * @throws {StateError} when the database cannot be written.
   */
  checkpoint(): void {
    this.#guard(() => this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)"), "write to");
  }

  /** Closes the database. */
  [Symbol.dispose](): void {
    this.#wal?.close();
    this.#wal = undefined;
    if (this.#db.isOpen) this.#db.close();
  }

  /** SQLite gives up its log only when nobody else has the database open, not even to read it. */
  #lockOthersOut(): void {
    this.#guard(() => {
      try {
        this.#db.exec(
          "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; COMMIT",
        );
      } catch (cause) {
        if (!messageOf(cause).includes("locked")) throw cause;
        throw new StateError(
          `Cannot change the state ${this.path}: another process uses it, such as \`feedsync watch\`; ` +
            "stop it, then run this again",
          { cause },
        );
      }
    }, "open");
  }

  #initialize() {
    this.#db.exec("PRAGMA synchronous = FULL");
    const { leavesSecrets } = this.transaction(() => migrate(this.#db, this.path));
    if (leavesSecrets) this.#wipe();
  }

  /** Erases overwritten data, unless another process uses the file, or the disk is full. */
  #wipe(): void {
    try {
      this.#db.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // The space will be used again sooner or later.
    }
  }

  #guard<T>(work: () => T, action: string): T {
    return guarded(work, { action, path: this.path });
  }
}

/** Makes an empty file, unless there is one: what is queued in it may be private. SQLite's own files get its mode. */
function makePrivate(path: string): void {
  if (path === ":memory:" || path.startsWith("file:")) return; // No file by that name: SQLite's own, and a URI.
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
  } catch {
    // It is there, or cannot be made, which SQLite will say.
  }
}

/** So many rows are read or written with one statement. */
export const GROUP = 10;

/** Groups of so many items, and the rest one by one: both have prepared statements. */
export function* inGroups<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let done = 0; done < items.length;) {
    const size = items.length - done < GROUP ? 1 : GROUP;
    yield items.slice(done, done + size);
    done += size;
  }
}

/** The parameters of so many rows in a statement. */
export function placeholders(rows: number, columns: number): string {
  const row = `(${Array(columns).fill("?").join(", ")})`;
  return Array(rows).fill(row).join(", ");
}
