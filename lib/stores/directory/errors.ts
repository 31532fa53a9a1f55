/**
 * Converts errors of a file system to errors of a store.
 *
 * @module
 */
import {
  AccessDeniedError,
  type FeedSyncError,
  messageOf,
  StoreUnavailableError,
} from "../../errors.ts";

/** Advice for errors that a retry cannot fix, by the code of the system. */
const REFUSALS: Record<string, string> = {
  EACCES: "let this user read and write there",
  EPERM: "let this user read and write there",
  EROFS: "the file system is read-only; choose another directory",
  ENOTDIR: "a file has that name; choose another directory",
  EISDIR: "a directory has the name of a file; remove it",
  ELOOP: "the symbolic links lead nowhere; choose another directory",
  ENAMETOOLONG: "choose a directory with a shorter path",
};

/** Advice for errors that may pass, by the code of the system. */
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

/** Converts an error that the system threw while `doing` something to one of the store `url`. */
export function directoryError(error: unknown, url: string, doing: string): FeedSyncError {
  const code = codeOf(error);
  const reason = `while ${doing}: ${messageOf(error)}`;
  const options = { cause: error };
  // The message of Deno names the missing permission.
  if (error instanceof Deno.errors.NotCapable) {
    return new AccessDeniedError(`Access denied to the store ${url} ${reason}`, options);
  }
  if (Object.hasOwn(REFUSALS, code)) {
    const message = `Access denied to the store ${url} ${reason}; ${REFUSALS[code]}`;
    return new AccessDeniedError(message, options);
  }
  const advice = FAILURES[code] ?? "is its disk mounted and working?";
  return new StoreUnavailableError(`Cannot use the store ${url} ${reason}; ${advice}`, options);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
