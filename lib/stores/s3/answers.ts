/**
 * What the SDK throws, and what it tells.
 *
 * @module
 */
import type { S3ServiceException } from "@aws-sdk/client-s3";
import { FeedSyncError, messageOf } from "../../errors.ts";

/** There are no credentials. What kept them away says nothing of buckets and objects. */
export class CredentialsError extends Error {
  /** Name of the class. */
  override name = "CredentialsError";
  /** What failed, such as `fetching credentials`. */
  readonly doing: string;

  /** Made of what was thrown while `doing` something. */
  constructor(doing: string, thrown: unknown) {
    const cause = withoutCommand(thrown);
    super(`Failed ${doing}: ${messageOf(cause)}`, { cause });
    this.doing = doing;
  }
}

/** What Node.js says of a command: its whole line, and what it printed. Secrets may be in both. */
const FAILED_COMMAND = /Command failed: .*/s;

/** The error without the command of a `credential_process`, also in its stack. */
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
 * The answer of something that is not an S3 service: a proxy, a login page, a console. It says nothing of
 * credentials, buckets and objects.
 */
export class ForeignAnswerError extends Error {
  /** Name of the class. */
  override name = "ForeignAnswerError";
  /** Where the SDK looks for the status, to decide about another attempt. */
  readonly $metadata: { readonly httpStatusCode: number };
  readonly #subject: string;

  /** An answer with this status; `text` is the body, if there is a readable one. */
  constructor(status: number, text = "") {
    const title = titleOf(text).slice(0, MAX_TITLE);
    super(`the answer is not that of an S3 service${title && ` (${JSON.stringify(title)})`}`);
    this.$metadata = { httpStatusCode: status };
    this.#subject = title || text.trim().split("\n", 1)[0].slice(0, MAX_TITLE);
  }

  /** Whether its title, or the first line of a text that is not told, says so. */
  says(words: RegExp): boolean {
    return words.test(this.#subject);
  }
}

/** So much of a title is told: characters. */
const MAX_TITLE = 100;

/** What a page of HTML is called. No more: answers may repeat what was sent, and be anything. */
function titleOf(text: string): string {
  return /<(title|h1)\b[^>]*>([^<]*)/i.exec(text)?.[2].trim() ?? "";
}

/** The header that {@linkcode RetryAfter} has the time in that the service asks for: seconds. */
export const RETRY_AFTER = "x-feedsync-retry-after";

/** What services say when credentials were good once, and perhaps others are there by now. */
const OUTDATED = [
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidToken",
  "TokenRefreshRequired",
];

/** Whether the same request may succeed with credentials that are fetched anew. */
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

/** Whether there is a bucket of this name already: made just before, of somebody else, or elsewhere. */
export function isExistingBucket(error: unknown): boolean {
  return ["BucketAlreadyExists", "BucketAlreadyOwnedByYou"].includes(codeOf(error));
}

/** Whether the bucket is being made by somebody else. */
export function isBeingCreated(error: unknown): boolean {
  return codeOf(error) === "OperationAborted";
}

/** What a checksum is made with: `md5` goes into `Content-MD5`, others into `x-amz-checksum-…`. */
export type ChecksumKind = "md5" | "crc32" | "sha1" | "sha256";

/** Which checksum the service requires of what is written, as it does where objects are locked. */
export function requiredChecksum(error: unknown): ChecksumKind | undefined {
  if (codeOf(error) === "MissingContentMD5") return "md5";
  const message = messageOf(originOf(error)).toLowerCase();
  if (statusOf(error) !== 400 || !/content-md5|x-amz-checksum/.test(message)) return undefined;
  if (message.includes("content-md5")) return "md5";
  const [, kind = "sha256"] = /x-amz-checksum-(crc32|sha1|sha256)\b/.exec(message) ?? [];
  return kind as ChecksumKind;
}

/** Whether the service says that this is not allowed. */
export function isDenied(error: unknown): boolean {
  return codeOf(error) === "AccessDenied";
}

/** What an error of the SDK may hold besides its message. */
const HARMLESS =
  /^(\$|stack$|cause$|message$|name$|Code$|Type$|RequestId$|HostId$|Resource$|Region$)/;

/** The error without what the service repeats of the request: that may be a token. */
export function withoutEchoes(error: unknown): unknown {
  if (!isServiceError(error)) return error;
  for (const key of Object.keys(error).filter((key) => !HARMLESS.test(key))) {
    Reflect.deleteProperty(error, key);
  }
  return error;
}

/** What the SDK threw, also from within the store's error for it. */
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

/** The service's code for what is wrong; the SDK has some for what it could not do itself. */
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

/** What a redirect says of the right place. */
export function redirection(error: unknown): string {
  if (!isRedirect(statusOf(error))) return "";
  const region = headerOf(error, "x-amz-bucket-region"), location = headerOf(error, "location");
  if (region !== undefined) return `, the bucket is in ${region}`;
  return location === undefined ? "" : `, it redirects to ${withoutQuery(location)}`;
}

/** Tokens of a session may be in the rest. */
function withoutQuery(location: string): string {
  const url = URL.parse(location);
  return url ? url.origin + url.pathname : location.split(/[?#]/, 1)[0];
}

/** Why it failed, for people. */
export function reasonOf(error: unknown): string {
  const status = statusOf(error);
  if (status === undefined) return connectionReason(error);
  const [message] = messageOf(error).split("\n");
  if (error instanceof ForeignAnswerError) return `status ${status}, ${message}`;
  // What the SDK says of answers without a code is for its developers.
  if (["Error", "Unknown"].includes(codeOf(error))) {
    return status < 300 ? `status ${status}: ${message}` : `status ${status}`;
  }
  if (message === "UnknownError") return codeOf(error);
  return `${codeOf(error)}: ${message.replace(/\.$/, "")}`;
}

/** What Deno says of a failed connection, without the address, which the message has already. */
export function connectionReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(cause).replace(/^.* client error \(\w+\): /s, "").replace(
    / \(os error \d+\)$/,
    "",
  );
}
