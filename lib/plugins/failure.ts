/**
 * What a failed call of a plugin says: about the update, about the plugin's backend, or neither.
 *
 * @module
 */
import { cutDownUrls } from "../base/redact.ts";
import {
  BackendUnavailableError,
  messageOf,
  RejectedUpdateError,
  StoreUnavailableError,
} from "../errors.ts";
import { shownUrl } from "../feed_url.ts";

/** What came of a call that failed. */
export type Failure =
  /** The plugin does not want the update: no other attempt helps. */
  | { readonly kind: "rejected" }
  /** The backend cannot be reached: any other update would have failed, too. */
  | { readonly kind: "unavailable"; readonly retryAfterMs?: number }
  /** Whether the update or the backend is to blame only other updates can show. */
  | { readonly kind: "unexplained" };

/** A call that did not end in time. It may be the update that makes it hang. */
export class CallTimeoutError extends Error {
  /** Name of the class. */
  override name = "TimeoutError";
}

/** Tells failures apart, also those of other copies of feedsync and of libraries that plugins use. */
export function failureOf(error: unknown): Failure {
  try {
    return classify(error);
  } catch {
    return { kind: "unexplained" }; // Getters of what plugins throw may throw as well.
  }
}

function classify(error: unknown): Failure {
  if (isRejection(error)) return { kind: "rejected" };
  if (error instanceof CallTimeoutError) return { kind: "unexplained" };
  const cause = causesOf(error).find(isUnavailable);
  if (cause === undefined) return { kind: "unexplained" };
  const { retryAfterMs } = cause as { retryAfterMs?: unknown };
  const isTold = typeof retryAfterMs === "number" && retryAfterMs > 0;
  return { kind: "unavailable", ...isTold && { retryAfterMs } };
}

/** Version 0.1 did not mark its errors: there the name tells. */
function isRejection(error: unknown): boolean {
  return error instanceof RejectedUpdateError ||
    error instanceof Error && error.name === "RejectedUpdateError";
}

/** A chain of causes longer than this tells no more. */
const MAX_CAUSES = 16;

/** The error and its causes. */
function causesOf(error: unknown): object[] {
  const causes: unknown[] = [error];
  for (let index = 0; index < causes.length && index < MAX_CAUSES; index++) {
    const { cause, errors } = Object(causes[index]) as { cause?: unknown; errors?: unknown };
    if (cause !== undefined) causes.push(cause);
    if (Array.isArray(errors)) causes.push(...errors);
  }
  return causes.slice(0, MAX_CAUSES).filter((cause) => typeof cause === "object" && cause !== null);
}

/** Deno's names of errors, and the one of a signal that ended a request in time. */
const NAMES = new Set([
  ...["AddrNotAvailable", "BrokenPipe", "Busy", "ConnectionAborted", "ConnectionRefused"],
  ...["ConnectionReset", "NetworkUnreachable", "NotConnected", "TimedOut", "TimeoutError"],
  ...["UnexpectedEof", "WouldBlock"],
]);

/** Codes of the operating system and of Node: network, disk, and what a process runs out of. */
const CODES = new Set([
  ...["EADDRNOTAVAIL", "EAI_AGAIN", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTDOWN"],
  ...["EHOSTUNREACH", "ENETDOWN", "ENETRESET", "ENETUNREACH", "ENOTCONN", "ENOTFOUND", "EPIPE"],
  ...["EPROTO", "ESHUTDOWN", "ETIMEDOUT", "UND_ERR_BODY_TIMEOUT", "UND_ERR_CONNECT_TIMEOUT"],
  ...["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_SOCKET"],
  ...["EDQUOT", "EIO", "ENODEV", "ENOSPC", "ENXIO", "EROFS", "ESTALE"],
  ...["EAGAIN", "EBUSY", "EMFILE", "ENFILE", "ENOMEM", "ETXTBSY"],
]);

/** Primary result codes, https://sqlite.org/rescode.html: busy, locked, no memory, read-only … */
const SQLITE_CODES = [5, 6, 7, 8, 10, 13, 14, 15];

/** `exec` of `node:sqlite` gives no result code. */
const SQLITE_TEXTS =
  /database (table )?is locked|database or disk is full|disk I\/O error|readonly database|unable to open database/;

/** Errors of `fetch`, which bear no code: Deno's, and those of Node. */
const FETCH_TEXTS = /^(fetch failed|error sending request|error reading a body)/i;

/** Statuses with which services ask for another attempt; libraries put them into their errors. */
const STATUSES = [429, 502, 503, 504];

function isUnavailable(error: object): boolean {
  if (error instanceof BackendUnavailableError || error instanceof StoreUnavailableError) {
    return true;
  }
  const { name, code, errcode, status, statusCode, message } = error as Record<string, unknown>;
  const text = typeof message === "string" ? message : "";
  if (code === "ERR_SQLITE_ERROR") {
    return typeof errcode === "number"
      ? SQLITE_CODES.includes(errcode & 0xff)
      : SQLITE_TEXTS.test(text);
  }
  return typeof name === "string" && NAMES.has(name) ||
    typeof code === "string" && CODES.has(code) ||
    [status, statusCode].some((told) => typeof told === "number" && STATUSES.includes(told)) ||
    name === "TypeError" && FETCH_TEXTS.test(text);
}

/**
 * The message of what a plugin throws, with URLs cut down to their origins, which may be secrets of the
 * plugin's; only the URL of the update is shown, without its password.
 */
export function tellFailure(error: unknown, url?: string): string {
  if (url === undefined) return cutDownUrls(messageOf(error));
  const shown = shownUrl(url);
  // What was told before comes again, as the error of a dead letter.
  return cutDownUrls(messageOf(error), { [url]: shown, [shown]: shown });
}
