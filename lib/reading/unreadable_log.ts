/**
 * Logs objects that cannot be read.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/environment.ts";
import { OnceLog } from "../base/once_log.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import {
  type AccessDeniedError,
  isLocked,
  messageOf,
  MissingKeyError,
  MissingObjectError,
  type UnreadableError,
} from "../errors.ts";

const logger = getLogger(["feedsync", "watch"]);

/**
 * Logs each object and each missing key once an hour, and a missing key again when the key file has
 * changed. Objects that are listed but not found are limited separately: there may be many, and
 * they are not damaged.
 */
export class UnreadableLog {
  readonly #log: BucketLog;
  readonly #problems: OnceLog;
  readonly #absent: OnceLog;

  /** Creates a log of the unreadable objects in `log`. */
  constructor(log: BucketLog, clock: Clock) {
    this.#log = log;
    this.#problems = new OnceLog(logger, clock);
    this.#absent = new OnceLog(logger, clock);
  }

  /** Logs the error, unless it was logged recently. */
  log(error: UnreadableError | AccessDeniedError): void {
    const isAbsent = error instanceof MissingObjectError;
    const problems = isAbsent ? this.#absent : this.#problems;
    const isKeyMissing = error instanceof MissingKeyError;
    const text = isKeyMissing
      ? "{message}; objects encrypted with it wait until this server has the key"
      : isLocked(error)
      ? "{message}; this object and everything after it in its stream wait for the upgrade"
      : "{message}; it holds up its stream, later polls try again";
    const subject = isKeyMissing ? `${this.#log.keysRevision} ${error.kid}` : error.message;
    const properties = { message: messageOf(error) };
    problems.problem(subject, { text, properties, kind: "" }, isAbsent ? "warn" : "error");
  }
}
