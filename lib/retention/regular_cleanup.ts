/**
 * Cleans up regularly while watching.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { cleanUp, problemsOf } from "./clean_up.ts";
import type { OnceLog } from "../base/once_log.ts";
import { messageOf } from "../errors.ts";
import type { Core } from "../state/core.ts";

const logger = getLogger(["feedsync", "cleanup"]);

/** Delay between cleanups, varied by a quarter so that servers do not all clean up at once. */
const INTERVAL_MS = 60 * 60 * 1000;

/** Maximum delay before the first cleanup, so that short runs clean up, too. */
const MAX_FIRST_DELAY_MS = 5 * 60 * 1000;

/** Cleans up hourly. */
export class RegularCleanup {
  readonly #parts: Core;
  readonly #retention: number | false;
  readonly #problems: OnceLog;
  #next: number;

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

  /** Cleans up when it is due. A failure is only logged: the next cleanup is an hour later. */
  async runIfDue(signal: AbortSignal): Promise<void> {
    const { log, state, environment: { clock, random } } = this.#parts;
    if (this.#retention === false || clock.elapsed() < this.#next) return;
    this.#next = clock.elapsed() + INTERVAL_MS * (0.75 + random.fraction() / 2);
    try {
      const { deleted, failed, error } = await cleanUp(log, {
        locked: (stream) => state.cursors.locked(stream),
        maxAge: this.#retention,
        problems: this.#problems,
        signal,
      });
      if (deleted > 0) logger.info("Cleaned up: {deleted} old objects deleted", { deleted });
      if (error) {
        logger.warn("Cannot delete {failed} old objects, trying again in an hour: {message}", {
          failed,
          message: messageOf(error),
        });
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.warn("Cannot clean up, trying again in an hour: {message}", {
        message: messageOf(error),
      });
    }
  }
}
