/**
 * Objects of own streams that a listing shows, and a GET does not find: a cache or a replica lags behind.
 * Nothing is concluded from that, and nothing deleted; they are looked into later.
 *
 * @module
 */
import type { Environment } from "../../base/environment.ts";
import type { ObjectName } from "../../log/names.ts";
import { RetryTimes } from "../../base/retry_times.ts";

/** They are fetched again after so many milliseconds: at first, and at most. */
const RETRY_DELAYS = { baseMs: 1000, capMs: 10 * 60_000 };

/** The objects that were not found the last time. */
export class AbsentObjects {
  readonly #times: RetryTimes;

  /** None is known yet. */
  constructor(environment: Environment) {
    this.#times = new RetryTimes(environment, RETRY_DELAYS);
  }

  /** A GET did not find the object, or one that it has to be compared with. */
  postpone({ key }: ObjectName): void {
    this.#times.postpone(key);
  }

  /** A GET found it, or no listing shows it any more. */
  forget({ key }: ObjectName): void {
    this.#times.forget(key);
  }

  /** Whether the object was not found the last time. */
  has({ key }: ObjectName): boolean {
    return this.#times.has(key);
  }

  /** Whether the object may be looked into now. */
  isDue({ key }: ObjectName): boolean {
    return this.#times.isDue(key);
  }
}
