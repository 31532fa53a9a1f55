/**
 * What goes wrong with an S3 service, in terms of a store.
 *
 * @module
 */
import type { S3ServiceException } from "@aws-sdk/client-s3";
import {
  AccessDeniedError,
  ConfigError,
  FeedSyncError,
  messageOf,
  StoreUnavailableError,
} from "../errors.ts";

/** Names the store in messages. */
export interface StoreNames {
  /** URL of the store. */
  readonly url: string;
  /** The service that it is at. */
  readonly service: string;
}

const CHECK_KEYS = "check 's3.accessKeyId' and 's3.secretAccessKey'";
const RENEW = "renew the credentials";
const RIGHTS = "check what these credentials are allowed to do";

/** What to do when the service, or the SDK, refuses with this code. */
const REFUSALS: Record<string, string> = {
  AccessDenied: RIGHTS,
  InvalidAccessKeyId: CHECK_KEYS,
  SignatureDoesNotMatch: CHECK_KEYS,
  ExpiredToken: RENEW,
  InvalidToken: RENEW,
  TokenRefreshRequired: RENEW,
  TokenProviderError: RENEW,
  CredentialsProviderError: "set 's3.accessKeyId' and 's3.secretAccessKey', 's3.profile', or " +
    "what else the AWS SDK looks for",
};

/** What to do when the service was asked in a way that cannot work. */
const MISTAKES: Record<string, string> = {
  AuthorizationHeaderMalformed: "check 's3.region'",
  IllegalLocationConstraintException: "check 's3.region'",
  InvalidLocationConstraint: "check 's3.region'",
  InvalidBucketName: "check the name of the bucket",
  PermanentRedirect: "check 's3.region' and 's3.endpoint'",
};

/** What services say that have no DeleteObjects, or want other checksums for it. */
const BATCH_REFUSALS = [
  "BadDigest",
  "InvalidArgument",
  "InvalidDigest",
  "InvalidRequest",
  "MalformedXML",
  "MethodNotAllowed",
  "MissingContentMD5",
  "NotImplemented",
];

/** No refusal for good: the SDK takes the right time from this answer, and the next attempt has it. */
const SKEWED = "RequestTimeTooSkewed";

/** Whether there is no bucket of this name. */
export function isMissingBucket(error: unknown): boolean {
  return codeOf(error) === "NoSuchBucket";
}

/** Whether there is no object with this key. */
export function isMissingObject(error: unknown): boolean {
  return statusOf(error) === 404 && !isMissingBucket(error);
}

/** Whether the bucket was made by somebody else just before. */
export function isExistingBucket(error: unknown): boolean {
  return ["BucketAlreadyExists", "BucketAlreadyOwnedByYou", "OperationAborted"]
    .includes(codeOf(error));
}

/** Whether the service has no batches of deletes that we could use. */
export function refusesBatches(error: unknown): boolean {
  return BATCH_REFUSALS.includes(codeOf(error)) || [405, 411, 501].includes(statusOf(error) ?? 0);
}

/** The store's error for what the SDK threw while `doing` something. */
export function s3Error(
  error: unknown,
  { url, service }: StoreNames,
  doing: string,
): FeedSyncError {
  const options = { cause: error };
  const code = codeOf(error);
  const status = statusOf(error);
  const happened = `the store ${url} at ${service} while ${doing}: ${reasonOf(error)}`;
  if (Object.hasOwn(MISTAKES, code) || isRedirect(status)) {
    const advice = MISTAKES[code] ?? "check 's3.endpoint'";
    return new ConfigError(`Cannot use ${happened}${redirection(error)}; ${advice}`, options);
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new AccessDeniedError(`Access denied to ${happened}`, options);
  }
  if (code === SKEWED) {
    return new StoreUnavailableError(
      `Cannot use ${happened}; set the clock of this machine`,
      options,
    );
  }
  if (Object.hasOwn(REFUSALS, code) || status === 401 || status === 403) {
    const advice = REFUSALS[code] ?? RIGHTS;
    return new AccessDeniedError(`Access denied to ${happened}; ${advice}`, options);
  }
  const failed = status === undefined ? "Cannot reach" : "Cannot use";
  return new StoreUnavailableError(`${failed} ${happened}`, options);
}

/** What the SDK threw, also from within the store's error for it. */
function originOf(error: unknown): unknown {
  return error instanceof FeedSyncError ? error.cause : error;
}

function isServiceError(error: unknown): error is S3ServiceException {
  return error instanceof Error && "$metadata" in error;
}

function statusOf(error: unknown): number | undefined {
  const origin = originOf(error);
  return isServiceError(origin) ? origin.$metadata.httpStatusCode : undefined;
}

/** The service's code for what is wrong; the SDK has some for what it could not do itself. */
function codeOf(error: unknown): string {
  const origin = originOf(error);
  return origin instanceof Error ? origin.name : "";
}

function isRedirect(status: number | undefined): boolean {
  return status !== undefined && status >= 300 && status < 400;
}

/** What a redirect says of the right place. */
function redirection(error: unknown): string {
  const headers = isServiceError(error) ? error.$response?.headers : undefined;
  const region = headers?.["x-amz-bucket-region"];
  if (region !== undefined) return `, the bucket is in ${region}`;
  return headers?.location === undefined ? "" : `, it redirects to ${headers.location}`;
}

function reasonOf(error: unknown): string {
  const status = statusOf(error);
  if (status === undefined) return connectionReason(error);
  const [message] = messageOf(error).split("\n");
  // What the SDK says of answers without a code is for its developers.
  if (["Error", "Unknown"].includes(codeOf(error))) {
    return status < 300 ? `status ${status}: ${message}` : `status ${status}`;
  }
  return message === "UnknownError" ? codeOf(error) : `${codeOf(error)}: ${message}`;
}

/** What Deno says of a failed connection, without the address, which the message has already. */
function connectionReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(cause).replace(/^.* client error \(\w+\): /s, "").replace(
    / \(os error \d+\)$/,
    "",
  );
}
