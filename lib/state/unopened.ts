/**
 * Looks into a state without opening it as its server does: nothing is claimed, migrated or written, and
 * other processes may use it meanwhile.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { BUSY_TIMEOUT_MS } from "./database.ts";
import { checkReader, formatOf } from "./migrations.ts";
import { guarded } from "./sqlite_errors.ts";
import { checkWhole } from "./whole.ts";

/** A state as it is found. */
export interface UnopenedState {
  readonly db: DatabaseSync;
  /** Its format. */
  readonly format: number;
  /** The format that a program must know to open it. */
  readonly reader: number;
}

/**
 * Runs `work` on the state at `path`.
 *
 * @throws {StateError} when there is none, it cannot be read, or only a newer version can read it.
 */
export function lookInto<T>(path: string, work: (state: UnopenedState) => T): T {
  checkWhole(path);
  return guarded(() => {
    using db = openToRead(path);
    const reader = Number(db.prepare("PRAGMA user_version").get()!.user_version);
    checkReader(reader, path);
    return work({ db, reader, format: formatOf(db, path) });
  }, { action: "read", path });
}

/**
 * Where there is no log, nobody uses the state. SQLite would make a log even to read it, and leave it
 * there, perhaps as another user's.
 */
function openToRead(path: string): DatabaseSync {
  if (isThere(`${path}-wal`) || isThere(`${path}-journal`)) {
    return new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  }
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  return new DatabaseSync(url.href, { readOnly: true });
}

/** Whether there is something at `path`. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
