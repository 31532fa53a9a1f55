/**
 * Cleans up regularly while watching.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { cleanUp, type CleanupReport, problemsOf } from "./clean_up.ts";
import type { OnceLog } from "../base/once_log.ts";
import { AccessDeniedError, messageOf } from "../errors.ts";
import type { Core } from "../state/core.ts";

const logger = getLogger(["feedsync", "cleanup"]);

/** Delay between cleanups, varied by a quarter so that servers do not all clean up at once. */
const INTERVAL_MS = 60 * 60 * 1000;

/** Maximum delay before the first cleanup, so that short runs clean up, too. */
const MAX_FIRST_DELAY_MS = 5 * 60 * 1000;

/** A server without the rights to clean up tries again after this time. */
const REFUSED_MS = 6 * INTERVAL_MS;

/** No more servers are counted: anybody can make up names, and then nobody would ever clean up. */
const MAX_SERVERS = 100;

/** One of so many cleanups looks through all that is kept for good: about one a day and fleet. */
const CLEANUPS_PER_SWEEP = 24;

/** Cleans up about once an hour and fleet: each server does when its turn comes, by chance. */
export class RegularCleanup implements AsyncDisposable {
  readonly #parts: Core;
  readonly #retention: number | false;
  readonly #problems: OnceLog;
  #next: number;
  #running: Promise<void> | undefined;

  /** Deletes objects older than `retention` milliseconds; nothing when it is `false`. */
  constructor(
    parts: Core,
    retention: number | false,
  ) {
    const { environment } = parts;
    this.#parts = parts;
    this.#retention = retention;
    this.#problems = problemsOf(environment);
    this.#next = environment.clock.elapsed() + environment.random.fraction() * MAX_FIRST_DELAY_MS;
  }

  /** Begins to clean up if it is time to: polls go on meanwhile. */
  startIfDue(signal: AbortSignal): void {
    const { log, environment: { clock, random } } = this.#parts;
    if (this.#retention === false || clock.elapsed() < this.#next || this.#running) return;
    this.#next = clock.elapsed() + INTERVAL_MS * (0.75 + random.fraction() / 2);
    if (random.fraction() >= 1 / Math.min(Math.max(log.servers, 1), MAX_SERVERS)) return;
    this.#running = this.#run(this.#retention, signal).finally(() => this.#running = undefined);
  }

  /** Waits until the cleanup that is under way has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
  }

  /** Cleans up. A failure is logged: others, or an hour later, are soon enough. */
  async #run(maxAge: number, signal: AbortSignal): Promise<void> {
    const { log, state, environment: { clock, random } } = this.#parts;
    try {
      const report = await cleanUp(log, {
        known: (url) => state.newest.get(url),
        maxAge,
        sweepAll: random.fraction() < 1 / CLEANUPS_PER_SWEEP,
        problems: this.#problems,
        signal,
      });
      tell(report);
      // What it has read and carried in vain would be so in an hour.
      if (report.error instanceof AccessDeniedError) this.#next = clock.elapsed() + REFUSED_MS;
    } catch (error) {
      if (signal.aborted) return;
      logger.warn("Cannot clean up, trying again later: {message}", {
        message: messageOf(error),
      });
    }
  }
}

function tell({ deleted, carried, swept, failed, error }: CleanupReport): void {
  if (deleted + swept > 0) {
    logger.info(
      "Cleaned up: {deleted} old objects deleted, {carried} updates in them kept as the newest of their " +
        "feeds, {swept} older ones of these deleted",
      { deleted, carried, swept },
    );
  }
  if (!error) return;
  const text = "Cannot clean up {failed} old objects, trying again later: {message}";
  logger.warn(text, { failed, message: messageOf(error) });
}
