/**
 * Errors of the SDK, and the information in them.
 *
 * @module
 */
import type { S3ServiceException } from "@aws-sdk/client-s3";
import { FeedSyncError, messageOf } from "../../errors.ts";

/** The credentials could not be fetched. The cause says nothing about buckets and objects. */
export class CredentialsError extends Error {
  /** Name of the error. */
  override name = "CredentialsError";
  /** What failed, such as `fetching credentials`. */
  readonly doing: string;

  /** Makes the error from `thrown`, which was thrown while `doing` something. */
  constructor(doing: string, thrown: unknown) {
    const cause = withoutCommand(thrown);
    super(`Failed ${doing}: ${messageOf(cause)}`, { cause });
    this.doing = doing;
  }
}

/**
 * Error of Node.js for a command: holds its command line and output, both of which may contain
 * secrets.
 */
const FAILED_COMMAND = /Command failed: .*/s;

/** Removes the command of a `credential_process` from the error and its stack. */
function withoutCommand(error: unknown): unknown {
  const message = messageOf(error);
  if (!FAILED_COMMAND.test(message)) return error;
  const told = new Error(
    message.replace(FAILED_COMMAND, "the command of its 'credential_process' failed"),
  );
  if (error instanceof Error) told.name = error.name;
  return told;
}

/**
 * An answer that does not come from an S3 service, but from a proxy, a login page or a console. It
 * says nothing about credentials, buckets and objects.
 */
export class ForeignAnswerError extends Error {
  /** Name of the error. */
  override name = "ForeignAnswerError";
  /** Status, where the SDK looks for it to decide whether to retry. */
  readonly $metadata: { readonly httpStatusCode: number };
  readonly #subject: string;

  /** Makes the error for an answer with this status; `text` is the body, if it is readable. */
  constructor(status: number, text = "") {
    const title = titleOf(text).slice(0, MAX_TITLE_LENGTH);
    super(`the answer is not that of an S3 service${title && ` (${JSON.stringify(title)})`}`);
    this.$metadata = { httpStatusCode: status };
    this.#subject = title || text.trim().split("\n", 1)[0].slice(0, MAX_TITLE_LENGTH);
  }

  /** Whether the title matches; without a title, whether the first line of the text does. */
  says(words: RegExp): boolean {
    return words.test(this.#subject);
  }
}

/** Maximum number of characters of a title in messages. */
const MAX_TITLE_LENGTH = 100;

/** The title of an HTML page. Nothing else is shown: the page may repeat secrets of the request. */
function titleOf(text: string): string {
  return /<(title|h1)\b[^>]*>([^<]*)/i.exec(text)?.[2].trim() ?? "";
}

/** Header in which {@linkcode RetryAfter} passes on the requested wait, in seconds. */
export const RETRY_AFTER = "x-feedsync-retry-after";

/** Error codes for credentials that have expired: newer ones may be available. */
const OUTDATED = [
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidToken",
  "TokenRefreshRequired",
];

/** Whether the same request may succeed with renewed credentials. */
export function isOutdated(error: unknown): boolean {
  const origin = originOf(error);
  return OUTDATED.includes(codeOf(origin instanceof CredentialsError ? origin.cause : origin));
}

/** Whether there is no bucket of this name. */
export function isMissingBucket(error: unknown): boolean {
  return codeOf(error) === "NoSuchBucket";
}

/** Whether there is no object with this key. */
export function isMissingObject(error: unknown): boolean {
  return statusOf(error) === 404 && !isMissingBucket(error);
}

/**
 * Whether a bucket of this name already exists: created just before, owned by somebody else, or in
 * another region.
 */
export function isExistingBucket(error: unknown): boolean {
  return ["BucketAlreadyExists", "BucketAlreadyOwnedByYou"].includes(codeOf(error));
}

/** Whether another request is creating the bucket. */
export function isBeingCreated(error: unknown): boolean {
  return codeOf(error) === "OperationAborted";
}

/** Algorithm of a checksum: `md5` goes into `Content-MD5`, others into `x-amz-checksum-…`. */
export type ChecksumKind = "md5" | "crc32" | "sha1" | "sha256";

/**
 * The checksum that the service requires for writes, as it does with Object Lock; undefined when it
 * does not.
 */
export function requiredChecksum(error: unknown): ChecksumKind | undefined {
  if (codeOf(error) === "MissingContentMD5") return "md5";
  const message = messageOf(originOf(error)).toLowerCase();
  if (statusOf(error) !== 400 || !/content-md5|x-amz-checksum/.test(message)) return undefined;
  if (message.includes("content-md5")) return "md5";
  const [, kind = "sha256"] = /x-amz-checksum-(crc32|sha1|sha256)\b/.exec(message) ?? [];
  return kind as ChecksumKind;
}

/** Whether the service denied access. */
export function isDenied(error: unknown): boolean {
  return codeOf(error) === "AccessDenied";
}

/** Properties of an error of the SDK that hold no secrets. */
const HARMLESS =
  /^(\$|stack$|cause$|message$|name$|Code$|Type$|RequestId$|HostId$|Resource$|Region$)/;

/** Removes parts of the request that the service repeats in the error: they may hold a token. */
export function withoutEchoes(error: unknown): unknown {
  if (!isServiceError(error)) return error;
  for (const key of Object.keys(error).filter((key) => !HARMLESS.test(key))) {
    Reflect.deleteProperty(error, key);
  }
  return error;
}

/** The error of the SDK, unwrapped from the error of the store. */
function originOf(error: unknown): unknown {
  return error instanceof FeedSyncError ? error.cause : error;
}

function isServiceError(error: unknown): error is S3ServiceException {
  return error instanceof Error && "$metadata" in error;
}

/** The status of the answer, if there was one. */
export function statusOf(error: unknown): number | undefined {
  const origin = originOf(error);
  return isServiceError(origin) ? origin.$metadata.httpStatusCode : undefined;
}

/** The error code of the service, or of the SDK if it could not send the request. */
export function codeOf(error: unknown): string {
  const origin = originOf(error);
  return origin instanceof Error ? origin.name : "";
}

/** Whether the answer is a redirect. */
export function isRedirect(status: number | undefined): boolean {
  return status !== undefined && status >= 300 && status < 400;
}

/** A header of the answer. */
export function headerOf(error: unknown, name: string): string | undefined {
  const origin = originOf(error);
  return isServiceError(origin) ? origin.$response?.headers[name] : undefined;
}

/** Where a redirect leads, for messages; empty when the error is not a redirect. */
export function redirection(error: unknown): string {
  if (!isRedirect(statusOf(error))) return "";
  const region = headerOf(error, "x-amz-bucket-region"), location = headerOf(error, "location");
  if (region !== undefined) return `, the bucket is in ${region}`;
  return location === undefined ? "" : `, it redirects to ${withoutQuery(location)}`;
}

/** The location without query and fragment, which may hold session tokens. */
function withoutQuery(location: string): string {
  const url = URL.parse(location);
  return url ? url.origin + url.pathname : location.split(/[?#]/, 1)[0];
}

/** The reason of a failure, for messages. */
export function reasonOf(error: unknown): string {
  const status = statusOf(error);
  if (status === undefined) return connectionReason(error);
  const [message] = messageOf(error).split("\n");
  if (error instanceof ForeignAnswerError) return `status ${status}, ${message}`;
  // The message of the SDK for an answer without a code is for its developers.
  if (["Error", "Unknown"].includes(codeOf(error))) {
    return status < 300 ? `status ${status}: ${message}` : `status ${status}`;
  }
  if (message === "UnknownError") return codeOf(error);
  return `${codeOf(error)}: ${message.replace(/\.$/, "")}`;
}

/** The error of Deno for a failed connection, without the address, which messages name anyway. */
export function connectionReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(cause).replace(/^.* client error \(\w+\): /s, "").replace(
    / \(os error \d+\)$/,
    "",
  );
}
