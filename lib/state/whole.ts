/**
 * Whether all files of a state are there. SQLite keeps recent changes in a log beside the database. If only one
 * of the two was copied, it silently takes that for a new database.
 *
 * @module
 */
import { StateError } from "../errors.ts";

/** The header of a database, https://sqlite.org/fileformat.html. */
const HEADER = { bytes: 100, writeVersion: 18, pages: 28 } as const;

/** The write version of a database that has a log. */
const WITH_LOG = 2;

/**
 * Makes sure that no part of a state is taken for a new state. An empty file, or a state that was never in use,
 * may become one: a state gets its tables before its log.
 *
 * @throws {StateError} when the database or its log is missing.
 */
export function checkWhole(path: string): void {
  const log = `${path}-wal`, logBytes = sizeOf(log), bytes = sizeOf(path);
  if (bytes === 0 && logBytes > 0) {
    throw new StateError(
      `Cannot open the state ${path}: it is missing or empty, but its log ${log} is there, in which ` +
        "updates may wait for their upload; put the file back, or remove the log to begin a new state",
    );
  }
  if (bytes > 0 && logBytes === 0 && isEmptyOfUse(path)) {
    throw new StateError(
      `Cannot open the state ${path}: all that was in it is in its log ${log}, which is missing; copy ` +
        "a state while feedsync is stopped, or together with that file. To begin a new state, remove it",
    );
  }
}

/** The bytes of a file; 0 when there is no such file. */
export function sizeOf(path: string): number {
  try {
    const { size, isFile } = Deno.statSync(path);
    return isFile ? size : 0;
  } catch {
    return 0; // If something else is wrong, opening it tells what.
  }
}

/** Whether it is a database that had a log, and has only one page, so no tables. */
function isEmptyOfUse(path: string): boolean {
  const header = new Uint8Array(HEADER.bytes);
  try {
    using file = Deno.openSync(path);
    if (file.readSync(header) !== header.length) return false;
  } catch {
    return false; // Opening it tells what is wrong.
  }
  const pages = new DataView(header.buffer).getUint32(HEADER.pages);
  return header[HEADER.writeVersion] === WITH_LOG && pages === 1 &&
    new TextDecoder().decode(header.subarray(0, 15)) === "SQLite format 3";
}
