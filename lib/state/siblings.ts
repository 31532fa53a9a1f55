/**
 * Other states in the directory of a new one, in which updates wait for their upload: when a host is
 * renamed, nobody opens its state any more.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { basename, dirname, join } from "node:path";

/** A state that nobody uses now. */
export interface Sibling {
  /** Path of its file. */
  readonly path: string;
  /** The server that it belongs to. */
  readonly server: string;
  /** How many of its updates are not uploaded. */
  readonly queued: number;
}

const QUEUED = `SELECT
  (SELECT value FROM meta WHERE key = 'server') AS server,
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0) - uploaded AS queued
  FROM publisher`;

/** The states beside the one at `path` that have updates to upload, and that no process uploads from. */
export function queuedSiblings(path: string): Sibling[] {
  const directory = dirname(path);
  return namesIn(directory)
    .filter((name) => name.endsWith(".db") && name !== basename(path))
    .map((name) => join(directory, name))
    .filter((sibling) => !isInUse(sibling))
    .map(readCopy)
    .filter((sibling) => sibling !== undefined)
    .filter(({ queued }) => queued > 0);
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch {
    return []; // It may be closed to this user: then nothing can be told.
  }
}

/** Whether a process uploads from the state: it holds the lock, see the uploader. */
function isInUse(path: string): boolean {
  try {
    using lock = Deno.openSync(`${path}.upload.lock`, { write: true });
    return !lock.tryLockSync(true);
  } catch {
    return false;
  }
}

/**
 * Reads a copy: to open the state itself, even to read it, would make files beside it, and take what
 * is in its log over. Undefined when it is no state.
 */
function readCopy(path: string): Sibling | undefined {
  const copy = `${path}.looked-at-${crypto.randomUUID()}`;
  try {
    Deno.copyFileSync(path, copy);
    copyIfThere(`${path}-wal`, `${copy}-wal`);
    using db = new DatabaseSync(copy);
    const row = db.prepare(QUEUED).get();
    return row && { path, server: String(row.server), queued: Number(row.queued) };
  } catch {
    return undefined; // Another program's, damaged, or not to be read by this user.
  } finally {
    for (const part of ["", "-wal", "-shm"]) removeIfThere(copy + part);
  }
}

function copyIfThere(from: string, to: string): void {
  try {
    Deno.copyFileSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
