/**
 * Cleaning up now and then, while watching.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { cleanUp, type CleanupReport, problemsOf } from "./clean_up.ts";
import type { OnceLog } from "../base/once_log.ts";
import { messageOf } from "../errors.ts";
import type { Core } from "../state/core.ts";

const logger = getLogger(["feedsync", "cleanup"]);

/** Time between cleanups, give or take a quarter, so that servers do not all clean up at once. */
const INTERVAL_MS = 60 * 60 * 1000;

/** The first cleanup comes within this time: short runs clean up, too. */
const MAX_FIRST_DELAY_MS = 5 * 60 * 1000;

/** No more servers are counted: anybody can make up names, and then nobody would ever clean up. */
const MAX_SERVERS = 100;

/** One of so many cleanups looks through all that is kept for good: about one a day and fleet. */
const CLEANUPS_PER_SWEEP = 24;

/** Cleans up about once an hour and fleet: each server does when its turn comes, by chance. */
export class RegularCleanup {
  readonly #parts: Core;
  readonly #retention: number | false;
  readonly #problems: OnceLog;
  #next: number;

  /** Deletes what is older than `retention` milliseconds; nothing when it is `false`. */
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

  /** Cleans up if it is time to. A failure is logged: others, or an hour later, are soon enough. */
  async runIfDue(signal: AbortSignal): Promise<void> {
    const { log, state, environment: { clock, random } } = this.#parts;
    if (this.#retention === false || clock.elapsed() < this.#next) return;
    this.#next = clock.elapsed() + INTERVAL_MS * (0.75 + random.fraction() / 2);
    if (random.fraction() >= 1 / Math.min(Math.max(log.servers, 1), MAX_SERVERS)) return;
    try {
      const report = await cleanUp(log, {
        known: (url) => state.newest.get(url),
        maxAge: this.#retention,
        sweepAll: random.fraction() < 1 / CLEANUPS_PER_SWEEP,
        problems: this.#problems,
        signal,
      });
      tell(report);
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
