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

/** Delay after which a server without the rights to clean up tries again. */
const REFUSED_MS = 6 * INTERVAL_MS;

/** Maximum number of servers counted: otherwise invented servers could prevent cleanups. */
const MAX_SERVERS = 100;

/** One in this many cleanups sweeps all of `newest/`: about one per day and fleet. */
const CLEANUPS_PER_SWEEP = 24;

/**
 * Cleans up about once per hour and fleet: each server decides at random whether it is its turn.
 */
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

  /** Starts a cleanup in the background if it is due. */
  startIfDue(signal: AbortSignal): void {
    const { log, environment: { clock, random } } = this.#parts;
    if (this.#retention === false || clock.elapsed() < this.#next || this.#running) return;
    this.#next = clock.elapsed() + INTERVAL_MS * (0.75 + random.fraction() / 2);
    if (random.fraction() >= 1 / Math.min(Math.max(log.servers.size, 1), MAX_SERVERS)) return;
    this.#running = this.#run(this.#retention, signal).finally(() => this.#running = undefined);
  }

  /** Waits until the running cleanup has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
  }

  /** Cleans up; logs failures, since another server or a later cleanup will do. */
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
      logReport(report);
      // Otherwise it would read and carry the same in vain every hour.
      if (report.error instanceof AccessDeniedError) this.#next = clock.elapsed() + REFUSED_MS;
    } catch (error) {
      if (signal.aborted) return;
      logger.warn("Cannot clean up, trying again later: {message}", {
        message: messageOf(error),
      });
    }
  }
}

function logReport({ deleted, carried, swept, failed, error }: CleanupReport): void {
  if (deleted + swept > 0) {
    logger.info(
      "Deleted {deleted} expired objects, moved {carried} newest updates to newest/, and deleted " +
        "{swept} older ones there",
      { deleted, carried, swept },
    );
  }
  if (!error) return;
  const text = "Cannot clean up {failed} old objects, trying again later: {message}";
  logger.warn(text, { failed, message: messageOf(error) });
}
