/**
 * The marker: a small object that publishers overwrite after each commit. To read it costs a fraction
 * of a listing, so that a large quiet fleet need not list the tail to learn that nothing has happened.
 *
 * It is a hint. It may be old, or lost: then the next listing, which comes without it after five
 * minutes at most, finds what is new.
 *
 * @module
 */
import { backoff, type Environment, sleep } from "../base/environment.ts";
import { messageOf } from "../errors.ts";
import { getLogger } from "@logtape/logtape";
import type { BucketLog } from "../log/bucket_log.ts";
import type { StoreOptions } from "../stores/store.ts";

const logger = getLogger(["feedsync", "wake"]);

/** The tail is listed after so many milliseconds, whatever the marker says. */
export const LONGEST_TRUST: number = 5 * 60 * 1000;

/** Delays between failed writes, in milliseconds: the first, and the longest. */
const RETRY_BASE = 1000, RETRY_CAP = 60_000;

/** What a marker stands on. */
export interface MarkerParts {
  /** Where it is. */
  readonly log: BucketLog;
  /** Time and randomness. */
  readonly environment: Environment;
}

/** Changes the marker, in the background: several commits may share one write. */
export class MarkerWriter {
  readonly #parts: MarkerParts;
  readonly #closing = new AbortController();
  #isDue = false;
  #writing: Promise<void> | undefined;

  /** Writes nothing yet. */
  constructor(parts: MarkerParts) {
    this.#parts = parts;
  }

  /** A commit is stored. */
  change(): void {
    this.#isDue = true;
    this.#writing ??= this.#write();
  }

  /** Lets the last write end, for at most so many milliseconds. */
  async close(ms: number): Promise<void> {
    const cancel = this.#parts.environment.clock.setTimer(ms, () => this.#closing.abort());
    await this.#writing;
    cancel();
  }

  async #write(): Promise<void> {
    const { log, environment: { clock, random } } = this.#parts;
    const { signal } = this.#closing;
    for (let failures = 0; this.#isDue && !signal.aborted;) {
      this.#isDue = false;
      try {
        await log.writeMarker(random.token(), { signal });
        failures = 0;
      } catch (error) {
        this.#isDue = true;
        if (failures++ === 0) {
          logger.debug("Cannot change the marker: {message}", { message: messageOf(error) });
        }
        await sleep(clock, backoff(random, failures, RETRY_BASE, RETRY_CAP), signal).catch(
          () => {},
        );
      }
    }
    this.#writing = undefined;
  }
}

/** What the marker said before the last listing of the tail. */
export class MarkerReader {
  readonly #parts: MarkerParts;
  #seen: string | undefined;
  #listed: string | undefined;
  #listedAt = -Infinity;

  /** Nothing is known yet. */
  constructor(parts: MarkerParts) {
    this.#parts = parts;
  }

  /**
   * Whether something may have been stored since the last listing that {@linkcode noteListing} told
   * of. Costs one GET.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the marker cannot be read.
   */
  async hasChanged(options: StoreOptions): Promise<boolean> {
    const { log, environment: { clock } } = this.#parts;
    const isTrusted = clock.elapsed() - this.#listedAt < LONGEST_TRUST;
    this.#seen = await log.readMarker(options);
    return !isTrusted || this.#seen === undefined || this.#seen !== this.#listed;
  }

  /** The tail was listed, completely, after the last look at the marker. */
  noteListing(): void {
    this.#listed = this.#seen;
    this.#listedAt = this.#parts.environment.clock.elapsed();
  }
}
