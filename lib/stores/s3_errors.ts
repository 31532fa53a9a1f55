/**
 * What goes wrong with an S3 service, in terms of a store.
 *
 * @module
 */
import {
  AccessDeniedError,
  ConfigError,
  type FeedSyncError,
  messageOf,
  StoreUnavailableError,
} from "../errors.ts";
import {
  codeOf,
  CredentialsError,
  isRedirect,
  reasonOf,
  redirection,
  statusOf,
  withoutEchoes,
} from "./s3_answers.ts";

/** Names the store in messages. */
export interface StoreNames {
  /** URL of the store. */
  readonly url: string;
  /** The service that it is at. */
  readonly service: string;
}

const CHECK_FILE = "check 's3.credentialsFile'";
const CHECK_ROLE = "check the role, and that these credentials may assume it";
const CHECK_KMS = "check 's3.kmsKeyId'";
const CHECK_KEYS = "check 's3.accessKeyId' and 's3.secretAccessKey'";
const RENEW = "renew the credentials";
const RIGHTS = "check what these credentials are allowed to do, and whether they have expired";

/** What to do when the service, or the SDK, refuses with this code. */
const REFUSALS: Record<string, string> = {
  AccessDenied: RIGHTS,
  InvalidAccessKeyId: CHECK_KEYS,
  SignatureDoesNotMatch: CHECK_KEYS,
  CredentialsFileError: CHECK_FILE,
  ExpiredToken: RENEW,
  ExpiredTokenException: RENEW,
  InvalidToken: RENEW,
  TokenRefreshRequired: RENEW,
  TokenProviderError: RENEW,
  CredentialsProviderError: "set 's3.accessKeyId' and 's3.secretAccessKey', 's3.profile', or " +
    "what else the AWS SDK looks for",
};

/** What to do when the service was asked in a way that cannot work. */
const MISTAKES: Record<string, string> = {
  AccessControlListNotSupported: "leave out 's3.acl', or allow ACLs in the bucket",
  AuthorizationHeaderMalformed: "check 's3.region'",
  IllegalLocationConstraintException: "check 's3.region'",
  InvalidLocationConstraint: "check 's3.region'",
  InvalidBucketName: "check the name of the bucket",
  "KMS.DisabledException": CHECK_KMS,
  "KMS.InvalidKeyUsageException": CHECK_KMS,
  "KMS.KMSInvalidStateException": CHECK_KMS,
  "KMS.NotFoundException": CHECK_KMS,
  PermanentRedirect: "check 's3.region' and 's3.endpoint'",
};

/** No refusal for good: the SDK takes the right time from this answer, and the next attempt has it. */
const SKEWED = "RequestTimeTooSkewed";

/** The store's error for what the SDK threw while `doing` something. */
export function s3Error(
  error: unknown,
  { url, service }: StoreNames,
  doing: string,
): FeedSyncError {
  const isForCredentials = error instanceof CredentialsError;
  const origin = isForCredentials ? error.cause : error;
  const options = { cause: withoutEchoes(origin) };
  const code = codeOf(origin);
  const status = statusOf(origin);
  const whole = isForCredentials ? `${doing}, ${error.doing}` : doing;
  const happened = `the store ${url} at ${service} while ${whole}: ${reasonOf(origin)}`;
  if (Object.hasOwn(MISTAKES, code) || isRedirect(status)) {
    const advice = MISTAKES[code] ?? "check 's3.endpoint'";
    return new ConfigError(`Cannot use ${happened}${redirection(origin)}; ${advice}`, options);
  }
  if (origin instanceof Deno.errors.NotCapable) {
    return new AccessDeniedError(`Access denied to ${happened}`, options);
  }
  if (code === SKEWED) {
    return new StoreUnavailableError(
      `Cannot use ${happened}; set the clock of this machine`,
      options,
    );
  }
  const isRefused = isForCredentials ? isRefusal(status, code) : status === 401 || status === 403;
  if (Object.hasOwn(REFUSALS, code) || isRefused) {
    const advice = isForCredentials && isRefused ? CHECK_ROLE : adviceFor(origin);
    return new AccessDeniedError(`Access denied to ${happened}; ${advice}`, options);
  }
  const failed = status === undefined ? "Cannot reach" : "Cannot use";
  return new StoreUnavailableError(`${failed} ${happened}`, options);
}

/** Whether a token service refuses for a reason that stays: it says in many ways that it is busy. */
function isRefusal(status = 0, code: string): boolean {
  return status >= 400 && status < 500 && status !== 429 && !/throttl|expired/i.test(code);
}

function adviceFor(error: unknown): string {
  // Ceph has the same code for a key of its key management that is missing.
  return /kms-keyid/.test(messageOf(error)) ? CHECK_KMS : REFUSALS[codeOf(error)] ?? RIGHTS;
}
