/**
 * Diagnoses failed requests to an S3 service, and advises what to do. Services describe the same
 * problem in many ways.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import {
  codeOf,
  connectionReason,
  ForeignAnswerError,
  headerOf,
  isRedirect,
  RETRY_AFTER,
  statusOf,
} from "./answers.ts";

/** Kind of problem: missing rights, a wrong configuration, or a failure that may pass. */
export type Kind = "denied" | "configuration" | "unavailable";

/** The cause of a failure. */
export interface Diagnosis {
  /** Kind of the problem. */
  readonly kind: Kind;
  /** What to do, or details of the problem. */
  readonly advice?: string;
}

const CHECK_KMS = "check 's3.kmsKeyId'";
const CHECK_KEYS = "check 's3.accessKeyId' and 's3.secretAccessKey'";
const CHECK_REGION = "check 's3.region'";
const CHECK_ENDPOINT = "check 's3.endpoint', and proxies and login pages on the way there";
const RENEW = "renew the credentials";
const RIGHTS = "check what these credentials are allowed to do, and whether they have expired";
const NO_PATH_STYLE = "set 's3.forcePathStyle' to false";
const OTHER_PROTOCOL = "write https: in 's3.endpoint', or name the port for http:";
const MAKE_ROOM = "make room at the provider, or shorten 'retention'";

const DENIED: Record<string, string> = {
  AccessDenied: RIGHTS,
  InvalidAccessKeyId: CHECK_KEYS,
  SignatureDoesNotMatch: CHECK_KEYS,
  CredentialsFileError: "check 's3.credentialsFile'",
  ExpiredToken: RENEW,
  ExpiredTokenException: RENEW,
  InvalidToken: RENEW,
  TokenRefreshRequired: RENEW,
  TokenProviderError: RENEW,
  CredentialsProviderError: "set 's3.accessKeyId' and 's3.secretAccessKey', 's3.profile', or " +
    "another source that the AWS SDK supports",
};

const MISTAKES: Record<string, string> = {
  AccessControlListNotSupported: "leave out 's3.acl', or allow ACLs in the bucket",
  AuthorizationHeaderMalformed: CHECK_REGION,
  IllegalLocationConstraintException: CHECK_REGION,
  IncorrectEndpoint: "check 's3.endpoint'",
  InvalidLocationConstraint: CHECK_REGION,
  InvalidRegion: CHECK_REGION,
  InvalidRegionName: CHECK_REGION,
  InvalidBucketName: "check the name of the bucket",
  "KMS.DisabledException": CHECK_KMS,
  "KMS.InvalidKeyUsageException": CHECK_KMS,
  "KMS.KMSInvalidStateException": CHECK_KMS,
  "KMS.NotFoundException": CHECK_KMS,
  // Not an error when reading an object that may be missing.
  NoSuchKey: "check 's3.endpoint': it must name only the service, without a bucket",
  PathStyleDomainForbidden: NO_PATH_STYLE,
  PermanentRedirect: "check 's3.region' and 's3.endpoint'",
  SecondLevelDomainForbidden: NO_PATH_STYLE,
  TooManyBuckets: "name an existing bucket in 'store', or ask for a new one",
  VirtualHostDomainRequired: NO_PATH_STYLE,
};

const PASSING: Record<string, string> = {
  BandwidthLimitExceeded: "",
  InsufficientCapacity: MAKE_ROOM,
  OperationAborted: "",
  QuotaExceeded: MAKE_ROOM,
  RequestExpired: "set the clock of this machine",
  RequestLimitExceeded: "",
  // The SDK takes the correct time from this answer for its next attempt.
  RequestTimeTooSkewed: "set the clock of this machine",
  SlowDown: "",
  TemporaryRedirect: "",
  TooManyRequests: "",
  XMinioStorageFull: MAKE_ROOM,
};

/** Messages of services that use ambiguous codes. */
const WORDINGS: [words: RegExp, diagnosis: Diagnosis][] = [
  // Ceph uses the code of a wrong access key if a key is missing in its key management.
  [/kms-keyid/i, { kind: "denied", advice: CHECK_KMS }],
  [/\bcaps? (?:was |is |has been )?(?:exceeded|reached)|cap_exceeded/i, {
    kind: "unavailable",
    advice: "raise the cap on requests at the provider, or wait until it is reset",
  }],
  [/quota/i, { kind: "unavailable", advice: MAKE_ROOM }],
  [/virtual.?host|path.?style|third.level domain/i, {
    kind: "configuration",
    advice: NO_PATH_STYLE,
  }],
  [/http request (?:was sent )?to (?:an )?https/i, {
    kind: "configuration",
    advice: OTHER_PROTOCOL,
  }],
  [/made to API port/i, {
    kind: "configuration",
    advice: "check the port in 's3.endpoint': this is the port of the console",
  }],
  [/\bregion\b.*\b(wrong|invalid|not valid|not match|expect)|(wrong|invalid) region/i, {
    kind: "configuration",
    advice: CHECK_REGION,
  }],
  [/access key|\bAKID\b/i, { kind: "denied", advice: CHECK_KEYS }],
];

/** Ambiguous codes: only the message shows the cause. */
const VAGUE =
  /^(AccessDenied|AuthorizationHeaderMalformed|Forbidden|Invalid(AccessKeyId|Argument|Request))$/;

/** Messages of Deno for failed connections. */
const CONNECTIONS: [words: RegExp, diagnosis: Diagnosis][] = [
  [/InvalidContentType/, {
    kind: "configuration",
    advice: "write http: in 's3.endpoint', or name the port for https:",
  }],
  [/invalid HTTP/i, {
    kind: "configuration",
    advice: "write https: in 's3.endpoint', or check its port",
  }],
  [/not valid for name|NotValidForName/i, {
    kind: "unavailable",
    advice: "check the host in 's3.endpoint', and whether 's3.forcePathStyle' must be true",
  }],
  [/certificate.*(expired|not valid (yet|before|after)|NotValidYet)/i, {
    kind: "unavailable",
    advice: "renew the certificate of the service, or set the clock of this machine",
  }],
  [/peer certificate/i, {
    kind: "unavailable",
    advice: "set the environment variable DENO_CERT to the certificate of its authority",
  }],
  [/dns error/i, {
    kind: "unavailable",
    advice: "check 's3.endpoint', 's3.region', and whether 's3.forcePathStyle' must be true",
  }],
];

/** Diagnoses a request to the service that rejected with `error`. */
export function diagnose(error: unknown, service: string): Diagnosis {
  const status = statusOf(error), code = codeOf(error);
  if (isRedirect(status)) return diagnoseRedirect(error, service);
  const wording = wordingFor(error);
  if (wording) return wording;
  if (error instanceof ForeignAnswerError) return { kind: "unavailable", advice: CHECK_ENDPOINT };
  if (Object.hasOwn(MISTAKES, code)) return { kind: "configuration", advice: MISTAKES[code] };
  if (Object.hasOwn(PASSING, code)) return passing(error, PASSING[code]);
  if (Object.hasOwn(DENIED, code)) return { kind: "denied", advice: DENIED[code] };
  if (status === 401 || status === 403) return { kind: "denied", advice: RIGHTS };
  return passing(error);
}

function wordingFor(error: unknown): Diagnosis | undefined {
  const status = statusOf(error);
  if (status === undefined) {
    const reason = connectionReason(error);
    return CONNECTIONS.find(([words]) => words.test(reason))?.[1];
  }
  if (status < 400 || status >= 500) return undefined;
  if (error instanceof ForeignAnswerError) {
    return WORDINGS.find(([words]) => error.says(words))?.[1];
  }
  if (!VAGUE.test(codeOf(error))) return undefined;
  return WORDINGS.find(([words]) => words.test(messageOf(error)))?.[1];
}

/** A permanent redirect, or one from S3 itself, points to the right place; others may pass. */
function diagnoseRedirect(error: unknown, service: string): Diagnosis {
  const region = headerOf(error, "x-amz-bucket-region"), location = headerOf(error, "location");
  if (location !== undefined && location.startsWith(service.replace(/^http:/, "https:"))) {
    return { kind: "configuration", advice: "write https: in 's3.endpoint'" };
  }
  // AWS redirects requests for a new bucket until all of its servers know the location.
  if (codeOf(error) === "TemporaryRedirect") return { kind: "unavailable", advice: CHECK_REGION };
  if (![301, 308].includes(statusOf(error) ?? 0) && region === undefined) {
    return { kind: "unavailable", advice: CHECK_ENDPOINT };
  }
  return { kind: "configuration", advice: MISTAKES[codeOf(error)] ?? "check 's3.endpoint'" };
}

function passing(error: unknown, advice = ""): Diagnosis {
  const seconds = headerOf(error, RETRY_AFTER);
  const wait = seconds && `the service asked to wait ${seconds} s before the next request`;
  return { kind: "unavailable", advice: [advice, wait].filter(Boolean).join("; ") || undefined };
}

/** Whether a failure is unrelated to the request itself: the same request may succeed later. */
export function isPassing(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined || Object.hasOwn(PASSING, codeOf(error))) return true;
  return [408, 429].includes(status) || (status >= 500 && status !== 501);
}
