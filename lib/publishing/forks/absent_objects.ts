/**
 * Objects of own streams that a listing shows, and a GET does not find: a cache or a replica lags behind.
 * Nothing is concluded from that, and nothing deleted; they are looked into later.
 *
 * @module
 */
import { RetrySchedule } from "../../base/backoff.ts";
import type { Environment } from "../../base/environment.ts";
import type { ObjectName } from "../../log/names.ts";

/** Delays between attempts to fetch one. */
const RETRY_RANGE = { minMs: 1000, maxMs: 10 * 60_000 };

/** The objects that were not found the last time. */
export class AbsentObjects {
  readonly #retries: RetrySchedule;

  /** None is known yet. */
  constructor(environment: Environment) {
    this.#retries = new RetrySchedule(environment, RETRY_RANGE);
  }

  /** A GET did not find the object, or one that it has to be compared with. */
  postpone({ key }: ObjectName): void {
    this.#retries.fail(key);
  }

  /** A GET found it, or no listing shows it any more. */
  forget({ key }: ObjectName): void {
    this.#retries.succeed(key);
  }

  /** Whether the object was not found the last time. */
  has({ key }: ObjectName): boolean {
    return this.#retries.hasFailed(key);
  }

  /** Whether the object may be looked into now. */
  isDue({ key }: ObjectName): boolean {
    return this.#retries.isDue(key);
  }
}
