/**
 * Telling of objects that cannot be read.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BucketLog } from "../log/bucket_log.ts";
import {
  type AccessDeniedError,
  messageOf,
  MissingKeyError,
  MissingObjectError,
  type UnreadableError,
} from "../errors.ts";

const logger = getLogger(["feedsync", "watch"]);

/** No more are told of, one by one. */
const MOST_TOLD = 100;

/**
 * Logs each object once, and a key that is missing once, and again when the keys change without it.
 * Objects that a store lists before it hands them out are counted apart: there may be many, and none is
 * damaged.
 */
export class UnreadableLog {
  readonly #log: BucketLog;
  readonly #told = new Set<string>();
  readonly #toldAbsent = new Set<string>();

  /** Of objects in this log. */
  constructor(log: BucketLog) {
    this.#log = log;
  }

  /** Tells what is wrong, if that is news. */
  tell(error: UnreadableError | AccessDeniedError): void {
    const isLocked = error instanceof MissingKeyError,
      isAbsent = error instanceof MissingObjectError;
    const subject = isLocked ? `${this.#log.keysRevision} ${error.kid}` : error.message;
    const told = isAbsent ? this.#toldAbsent : this.#told;
    if (told.has(subject) || told.size > MOST_TOLD) return;
    told.add(subject);
    logger[isAbsent ? "warn" : "error"](
      isLocked
        ? "{message}; what is encrypted with it waits until it is there"
        : "{message}; it holds up its stream and is tried again at later polls",
      {
        message: told.size > MOST_TOLD
          ? `More than ${MOST_TOLD} objects cannot be read, the next ones are not told of`
          : messageOf(error),
      },
    );
  }
}
