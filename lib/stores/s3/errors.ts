/**
 * Converts errors of an S3 service to errors of a store.
 *
 * @module
 */
import {
  AccessDeniedError,
  ConfigError,
  type FeedSyncError,
  StoreUnavailableError,
} from "../../errors.ts";
import {
  codeOf,
  CredentialsError,
  isMissingBucket,
  reasonOf,
  redirection,
  statusOf,
  withoutEchoes,
} from "./answers.ts";
import { diagnose, type Diagnosis } from "./diagnosis.ts";

/** What messages say of the store. */
export interface StoreSubject {
  /** URL of the store. */
  readonly url: string;
  /** The service that has the store. */
  readonly service: string;
  /** Whether its bucket was there before. */
  readonly wasThere: boolean;
}

/** Missing buckets: one that was never seen is most likely mistyped, one that was may come back. */
const NEVER_THERE: Diagnosis = {
  kind: "configuration",
  advice: "check 'store', 's3.endpoint' and 's3.region', or make the bucket with `feedsync init`",
};
const NOT_THERE_ANY_MORE: Diagnosis = {
  kind: "unavailable",
  advice: "it was there before: bring it back, or make a new one with `feedsync init`",
};

const CHECK_ROLE = "check the role, and that these credentials may assume it";

/** Converts an error that the SDK threw while `doing` something to one of the store. */
export function s3Error(
  error: unknown,
  { url, service, wasThere }: StoreSubject,
  doing: string,
): FeedSyncError {
  const isForCredentials = error instanceof CredentialsError;
  const origin = isForCredentials ? error.cause : error;
  const options = { cause: withoutEchoes(origin) };
  const whole = isForCredentials ? `${doing}, ${error.doing}` : doing;
  const { kind, advice } = isMissingBucket(origin)
    ? wasThere ? NOT_THERE_ANY_MORE : NEVER_THERE
    : diagnosisOf(origin, service, isForCredentials);
  const store = `the store ${url} at ${service} while ${whole}`;
  const what = `${store}: ${reasonOf(origin)}${redirection(origin)}${advice ? `; ${advice}` : ""}`;
  if (kind === "denied") return new AccessDeniedError(`Access denied to ${what}`, options);
  if (kind === "configuration") return new ConfigError(`Cannot use ${what}`, options);
  const failed = statusOf(origin) === undefined ? "Cannot reach" : "Cannot use";
  return new StoreUnavailableError(`${failed} ${what}`, options);
}

function diagnosisOf(error: unknown, service: string, isForCredentials: boolean): Diagnosis {
  if (error instanceof Deno.errors.NotCapable) return { kind: "denied" };
  const found = diagnose(error, service);
  if (!isForCredentials || !isRefusal(statusOf(error), codeOf(error))) return found;
  return found.kind === "configuration" ? found : { kind: "denied", advice: CHECK_ROLE };
}

/** Whether a token service refuses for a permanent reason, and is not just busy. */
function isRefusal(status = 0, code: string): boolean {
  return status >= 400 && status < 500 && status !== 429 && !/throttl|expired/i.test(code);
}
