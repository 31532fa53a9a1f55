/**
 * Telling of objects that cannot be read.
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
 * Logs each object once an hour, and each missing key, again when the keys change without it. Objects that
 * a store lists before it serves them are counted apart: there may be many, and none is damaged.
 */
export class UnreadableLog {
  readonly #log: BucketLog;
  readonly #problems: OnceLog;
  readonly #absent: OnceLog;

  /** Of objects in this log. */
  constructor(log: BucketLog, clock: Clock) {
    this.#log = log;
    this.#problems = new OnceLog(logger, clock);
    this.#absent = new OnceLog(logger, clock);
  }

  /** Logs what is wrong, if that is news. */
  tell(error: UnreadableError | AccessDeniedError): void {
    const isAbsent = error instanceof MissingObjectError;
    const problems = isAbsent ? this.#absent : this.#problems;
    const isKeyMissing = error instanceof MissingKeyError;
    const text = isKeyMissing
      ? "{message}; what is encrypted with it waits until it is there"
      : isLocked(error)
      ? "{message}; it waits until then, and so does what comes after it"
      : "{message}; it holds up its stream and is tried again at later polls";
    const subject = isKeyMissing ? `${this.#log.keysRevision} ${error.kid}` : error.message;
    const properties = { message: messageOf(error) };
    problems.problem(subject, { text, properties, kind: "" }, isAbsent ? "warn" : "error");
  }
}
