/**
 * Tells what to do about errors of SQLite.
 *
 * @module
 */
import { StateError } from "../errors.ts";

/**
 * What to do about SQLite's errors (https://sqlite.org/rescode.html), by their texts, because `exec` does not
 * give the result code.
 */
const REMEDIES: Record<string, string> = {
  "database is locked": "another process is writing to it; try again",
  "attempt to write a readonly database": "it is read-only; make file and directory writable",
  "disk I/O error": "the disk reports an input/output error; check the disk",
  "database disk image is malformed":
    "the file is damaged; restore it, or remove it to start with a new state",
  "database or disk is full": "the disk is full; free some space",
  "unable to open database file":
    "it cannot be opened; check that the path is a file in a writable directory",
  "file is not a database": "the file is not a database; choose another path for the state",
};

/**
 * Does `work` with the state at `path`.
 *
 * @throws {StateError} in place of an error of SQLite.
 */
export function guarded<T>(
  work: () => T,
  { action, path }: { readonly action: string; readonly path: string },
): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ERR_SQLITE_ERROR")) {
      throw cause;
    }
    throw sqliteError(cause, { action, path });
  }
}

/** The error for one of SQLite, or for a message that it has in place of one. */
export function sqliteError(
  cause: Error,
  { action, path }: { readonly action: string; readonly path: string },
): StateError {
  const [, remedy] = Object.entries(REMEDIES).find(([text]) => cause.message.includes(text)) ??
    [undefined, cause.message];
  return new StateError(`Cannot ${action} the state ${path}: ${remedy}`, { cause });
}
