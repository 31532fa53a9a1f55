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
    const properties = { message: messageOf(error) };
    const kind = isKeyMissing ? String(this.#log.keysRevision) : "";
    problems.problem(subjectOf(error), { text, properties, kind }, isAbsent ? "warn" : "error");
  }

  /** Logs that the error no longer holds up `stream`, if it was logged. */
  resolved(stream: string, error: Error): void {
    const text = error instanceof MissingKeyError
      ? "Objects encrypted with the key {kid} hold up {stream} no longer"
      : "{stream} is no longer held up";
    const { kid } = error as { kid?: string };
    for (const problems of [this.#problems, this.#absent]) {
      problems.resolved(subjectOf(error), { text, properties: { stream, kid } });
    }
  }
}

/** All objects that lack one key are one problem. */
function subjectOf(error: Error): string {
  return error instanceof MissingKeyError ? `key ${error.kid}` : error.message;
}
