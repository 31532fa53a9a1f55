/**
 * What errors become in answers: `{"error":{"name","message"}}` with a status.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { BackendUnavailableError, FeedSyncError, messageOf } from "../errors.ts";
import { cutDownUrls } from "../base/redact.ts";

const logger = getLogger(["feedsync", "api"]);

/** What else an error says. */
export interface ApiErrorOptions {
  /** Name of the error; stable, since programs depend on it. */
  readonly name: string;
  /** The message. */
  readonly message: string;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that the API itself refuses. */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  /** Makes the error with this status. */
  constructor(status: number, { name, message, headers = {} }: ApiErrorOptions) {
    super(message);
    this.name = name;
    this.status = status;
    this.headers = headers;
  }
}

/** The request is malformed. */
export function invalidRequest(message: string): ApiError {
  return new ApiError(400, { name: "InvalidRequestError", message });
}

/** There is nothing with this name. */
export function notFound(message: string): ApiError {
  return new ApiError(404, { name: "NotFoundError", message });
}

/** The server cannot do more at once, or is stopping. */
export function tooBusy(message: string): ApiError {
  return new ApiError(503, {
    name: "TooBusyError",
    message,
    headers: { "Retry-After": String(RETRY_AFTER_S) },
  });
}

/** When to try again, if nothing better is known. */
const RETRY_AFTER_S = 1;

/** The statuses of the library's errors, by their names. All others are 500. */
const STATUSES: Readonly<Record<string, number>> = {
  InvalidUpdateError: 400,
  InvalidCursorError: 400,
  InvalidConsumerError: 400,
  UnknownConsumerError: 404,
  UpdateConflictError: 409,
  ReaderReplacedError: 409,
  TooManyConsumersError: 409,
  ExpiredCursorError: 410,
  AccessDeniedError: 502,
  CorruptObjectError: 502,
  MissingKeyError: 502,
  UnsupportedFormatError: 502,
  MissingObjectError: 502,
  StoreUnavailableError: 503,
  StateError: 503,
  BackendUnavailableError: 503,
  ClosedError: 503,
};

/** The answer to a request that failed. */
export function errorResponse(thrown: unknown): Response {
  const { name, message, status, headers, details } = describeError(thrown);
  return Response.json({ error: { name, message, ...details } }, {
    status,
    headers: { ...status === 503 && { "Retry-After": String(retryAfter(thrown)) }, ...headers },
  });
}

/** What an answer says of an error. */
export interface DescribedError {
  readonly name: string;
  readonly message: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What an error is called, and what it says. */
export function describeError(thrown: unknown): DescribedError {
  if (thrown instanceof ApiError) return thrown;
  const message = cutDownUrls(messageOf(thrown));
  if (thrown instanceof FeedSyncError) {
    const { name } = thrown, status = STATUSES[name] ?? 500;
    return { name, message, status, details: detailsOf(thrown) };
  }
  // Wrong arguments of the verbs.
  if (thrown instanceof RangeError) return { name: "InvalidRequestError", message, status: 400 };
  logger.error("Cannot answer a request: {message}", { message });
  return {
    name: "InternalError",
    message: "feedsync failed unexpectedly; its log says why",
    status: 500,
  };
}

/** Where to go on, after an error of a cursor. */
function detailsOf(error: object): Record<string, unknown> {
  return "cursor" in error && typeof error.cursor === "string" ? { cursor: error.cursor } : {};
}

function retryAfter(thrown: unknown): number {
  const ms = thrown instanceof BackendUnavailableError ? thrown.retryAfterMs : undefined;
  return Math.max(RETRY_AFTER_S, Math.ceil((ms ?? 0) / 1000));
}
