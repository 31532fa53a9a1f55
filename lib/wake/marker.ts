/**
 * The marker: a small object that publishers overwrite after each commit. Reading it costs a
 * fraction of a LIST, so servers of a large quiet fleet can check cheaply that nothing has
 * happened.
 *
 * It is only a hint, and may be stale or missing: the tail is listed at least every five minutes.
 *
 * @module
 */
import type { WakeUpParts } from "./source.ts";
import { sleep } from "../base/environment.ts";
import { Backoff } from "../base/backoff.ts";
import { Deadline } from "../base/deadline.ts";
import { messageOf } from "../errors.ts";
import { getLogger } from "@logtape/logtape";
import type { StoreOptions } from "../stores/store.ts";

const logger = getLogger(["feedsync", "wake"]);

/** Maximum time between two listings of the tail, whatever the marker says. */
export const MAX_TRUST_MS: number = 5 * 60 * 1000;

/** Delay after a failed write. */
const RETRY_RANGE = { minMs: 1000, maxMs: 60_000 };

/** Overwrites the marker in the background; several commits may share one write. */
export class MarkerWriter {
  readonly #parts: WakeUpParts;
  readonly #closing: Deadline;
  #isDue = false;
  #writing: Promise<void> | undefined;

  /** Creates a writer, without writing yet. */
  constructor(parts: WakeUpParts) {
    this.#parts = parts;
    this.#closing = new Deadline(parts.environment.clock);
  }

  /** Overwrites the marker because a commit was stored. */
  change(): void {
    this.#isDue = true;
    this.#writing ??= this.#write();
  }

  /** Waits until the marker is written, for at most `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    using closing = this.#closing;
    closing.allow(timeoutMs);
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { log, environment: { clock, random } } = this.#parts;
    const { signal } = this.#closing;
    const backoff = new Backoff(random, RETRY_RANGE);
    while (this.#isDue && !signal.aborted) {
      this.#isDue = false;
      try {
        await log.writeMarker(random.token(), { signal });
        backoff.succeed();
      } catch (error) {
        this.#isDue = true;
        if (backoff.failures === 0) {
          logger.debug("Cannot change the marker: {message}", { message: messageOf(error) });
        }
        await sleep(clock, backoff.fail(), signal).catch(() => {});
      }
    }
    this.#writing = undefined;
  }
}

/** Compares the marker with its value before the last LIST of the tail. */
export class MarkerReader {
  readonly #parts: WakeUpParts;
  #seen: string | undefined;
  #listed: string | undefined;
  #listedAt = -Infinity;

  /** Creates a reader that has not seen the marker yet. */
  constructor(parts: WakeUpParts) {
    this.#parts = parts;
  }

  /**
   * Whether a commit may have been stored since the last {@linkcode noteListing}. Costs one GET.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the marker cannot be read.
   */
  async hasChanged(options: StoreOptions): Promise<boolean> {
    const { log, environment: { clock } } = this.#parts;
    const isTrusted = clock.elapsed() - this.#listedAt < MAX_TRUST_MS;
    this.#seen = await log.readMarker(options);
    return !isTrusted || this.#seen === undefined || this.#seen !== this.#listed;
  }

  /** Notes that the whole tail was listed after the last call of {@linkcode hasChanged}. */
  noteListing(): void {
    this.#listed = this.#seen;
    this.#listedAt = this.#parts.environment.clock.elapsed();
  }
}
