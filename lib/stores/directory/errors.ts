/**
 * What goes wrong in a directory, in terms of a store.
 *
 * @module
 */
import {
  AccessDeniedError,
  type FeedSyncError,
  messageOf,
  StoreUnavailableError,
} from "../../errors.ts";

/** What to do where trying again does not help, by the code of the system's error. */
const REFUSALS: Record<string, string> = {
  EACCES: "let this user read and write there",
  EPERM: "let this user read and write there",
  EROFS: "the file system is read-only, choose another directory",
  ENOTDIR: "a file is in the way, choose another directory",
  EISDIR: "a directory is in the way of a file, remove it",
  ELOOP: "the symbolic links lead nowhere, choose another directory",
  ENAMETOOLONG: "choose a directory with a shorter path",
};

/** What to do before trying again. */
const FAILURES: Record<string, string> = {
  ENOSPC: "free some space",
  EDQUOT: "free some space or raise the quota",
  EMFILE: "raise the limit of open files",
  ENFILE: "raise the limit of open files",
};

/** Whether the error says that there is no such file. */
export function isAbsence(error: unknown): boolean {
  // A directory is not an object.
  return error instanceof Deno.errors.NotFound || ["EISDIR", "ENOTEMPTY"].includes(codeOf(error));
}

/** The store's error for what the system threw while `doing` something with the store `url`. */
export function directoryError(error: unknown, url: string, doing: string): FeedSyncError {
  const code = codeOf(error);
  const reason = `while ${doing}: ${messageOf(error)}`;
  const options = { cause: error };
  // Deno's own message tells which permission is missing.
  if (error instanceof Deno.errors.NotCapable) {
    return new AccessDeniedError(`Access denied to the store ${url} ${reason}`, options);
  }
  if (Object.hasOwn(REFUSALS, code)) {
    const message = `Access denied to the store ${url} ${reason}; ${REFUSALS[code]}`;
    return new AccessDeniedError(message, options);
  }
  const advice = FAILURES[code] ?? "is its disk there and working?";
  return new StoreUnavailableError(`Cannot use the store ${url} ${reason}; ${advice}`, options);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
