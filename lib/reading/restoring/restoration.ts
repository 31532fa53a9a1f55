/**
 * Restores automatically: at the first start of a server, after gaps, and after an absence. Reading
 * of the log continues in parallel.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Backoff } from "../../base/backoff.ts";
import { OnceLog } from "../../base/once_log.ts";
import type { ResolvedConfig } from "../../config/resolve.ts";
import {
  AccessDeniedError,
  isLocked,
  isUnreadable,
  messageOf,
  type UnreadableError,
} from "../../errors.ts";
import { LOCKED_LIVES, patienceOf } from "../../retention/expiry.ts";
import { findMissingFeeds, type MissingFeeds } from "./missing_feeds.ts";
import { type Obstacle, type RestoreContext, Restorer } from "./restorer.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Range of the delay between attempts, each of which lists all of `newest/`. */
const RETRY_RANGE = { minMs: 5_000, maxMs: 3_600_000 };

/** Hashing any URL checks whether the key file has changed. */
const ANY_URL = "https://example.com/";

/** What was restored after gaps. */
const AFTER_GAP = "Feeds restored after a gap: {restored}";

/** Added when that was not all. */
const LEFT =
  "; not yet restored: {unreadable} that cannot be read, {locked} that need a key or an " +
  "upgrade";

/** Added to both, since nobody can know what was in a gap. */
const STILL_MISSING = ". If a feed is missing here, or old, publish it again on its server; see " +
  "'A gap' in docs/troubleshooting.md";

/** Dependencies of {@linkcode Restoration}. */
export interface RestorationContext extends RestoreContext {
  /** The configuration: how long to wait for objects, and where a new server starts. */
  readonly config: Pick<ResolvedConfig, "from" | "retention">;
  /** Number of gaps reported so far. */
  readonly gaps: () => number;
}

/** Restores when that is due, never twice at the same time. */
export class Restoration {
  readonly #context: RestorationContext;
  readonly #problems: OnceLog;
  readonly #backoff: Backoff;
  #retryAt = -Infinity;
  #running: Promise<void> | undefined;
  #obstacles: readonly Obstacle[] = [];
  #keysRevision = 0;
  /** Number of reasons to restore at the last attempt. */
  #reasons = 0;
  /** Number of gaps of which it was told what was restored after them. */
  #servedGaps = 0;
  /** Number of feeds restored since nothing was missing here the last time, and when that was. */
  #restored = 0;
  #completeAt: unknown;

  /** Creates it, without restoring anything yet. */
  constructor(context: RestorationContext) {
    const { environment } = context;
    this.#context = context;
    this.#problems = new OnceLog(logger, environment.clock);
    this.#backoff = new Backoff(environment.random, RETRY_RANGE);
  }

  /** Whether updates may be missing. */
  get isDue(): boolean {
    return this.#context.state.restoring.isDue();
  }

  /** Errors of the objects that the last attempt could not read. */
  get unreadable(): UnreadableError[] {
    return this.#obstacles.filter(isUnreadable);
  }

  /**
   * Starts to restore in the background if that is due, unless the last attempt failed recently.
   */
  startIfDue(): void {
    if (this.#running || !this.isDue) return;
    void this.#begin(async () => {
      try {
        if (await this.#isTimeToTry()) await this.#restore();
      } catch (error) {
        this.#noteFailure(error);
      }
    });
  }

  /**
   * Restores now if that is due.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the bucket, or a part of it, cannot be
   * read.
   * @throws {BackendUnavailableError | FeedSyncError} when a plugin does not work for too long.
   */
  async run(): Promise<void> {
    while (this.#running) await this.#running; // Not idle(): of several callers, one goes on.
    if (!this.isDue) return;
    const failures: unknown[] = [];
    await this.#begin(() => this.#restore().catch((error) => void failures.push(error)));
    if (failures.length > 0) throw failures[0];
    const refusal = this.#obstacles.find((error) => error instanceof AccessDeniedError);
    if (refusal && this.isDue) throw refusal;
  }

  /** Restores if there are new reasons since the last attempt. */
  async runForNews(): Promise<void> {
    await this.idle();
    if (this.#context.state.restoring.reasons() > this.#reasons) await this.run();
  }

  /** Waits for the running attempt. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Runs `work`, which must not reject, as the current attempt. */
  async #begin(work: () => Promise<void>): Promise<void> {
    this.#running = work().finally(() => this.#running = undefined);
    await this.#running;
  }

  async #isTimeToTry(): Promise<boolean> {
    const { log, environment: { clock } } = this.#context;
    if (clock.elapsed() >= this.#retryAt) return true;
    if (!this.#obstacles.some(isLocked)) return false;
    await log.newest.hashOf(ANY_URL);
    return log.keysRevision !== this.#keysRevision;
  }

  async #restore(): Promise<void> {
    const { state, log, budget, config: { from }, signal } = this.#context;
    const { restoring } = state, gaps = this.#context.gaps();
    const completeAt = state.fact("completeAt");
    if (completeAt !== this.#completeAt) [this.#completeAt, this.#restored] = [completeAt, 0];
    const reasons = this.#reasons = restoring.reasons(); // Later ones take another attempt.
    const looksTwice = !restoring.wasServed();
    const since = from === "now" ? Number(state.fact("enteredAt") ?? 0) : 0;
    const options = { looksTwice, since, requests: budget.restoring.low, signal };
    const found = new Map<string, Obstacle>(); // What is in the way of both looks is one obstacle.
    for await (const missing of findMissingFeeds(this.#context, options)) {
      const { size: count } = missing, obstacles = await this.#restoreFeeds(missing);
      for (const obstacle of obstacles) found.set(obstacle.message, obstacle);
      this.#restored += count - obstacles.length;
    }
    const obstacles = this.#obstacles = [...found.values()];
    this.#keysRevision = log.keysRevision;
    for (const error of obstacles) this.#logObstacle(error);
    this.#problems.resolved("restore", { text: "Restoring continues" });
    if (gaps > this.#servedGaps) this.#logGaps(gaps);
    if (obstacles.length === 0 || this.#isGivenUp(obstacles)) this.#noteServed(reasons);
    else this.#retryLater();
  }

  /** Resolves to what was in the way. */
  async #restoreFeeds(missing: MissingFeeds): Promise<Obstacle[]> {
    const { size: count } = missing;
    if (count === 0) return [];
    logger.info("Restoring the newest update of {count} feeds", { count });
    const restorer = new Restorer(this.#context);
    await restorer.restore(missing);
    const { obstacles } = restorer;
    logger.info("Restored {count} feeds", { count: count - obstacles.length });
    return obstacles;
  }

  /** Tells what was restored after gaps: after an absence, much of that before they are found. */
  #logGaps(gaps: number): void {
    this.#servedGaps = gaps;
    const locked = this.#obstacles.filter(isLocked).length;
    const unreadable = this.#obstacles.length - locked;
    const text = AFTER_GAP + (locked + unreadable > 0 ? LEFT : "") + STILL_MISSING;
    logger.warn(text, { gaps, restored: this.#restored, locked, unreadable });
  }

  #noteServed(reasons: number): void {
    const { state } = this.#context;
    state.transaction(() => state.restoring.noteServed(reasons), { durable: false });
    this.#backoff.succeed();
    this.#retryAt = -Infinity;
  }

  #retryLater(): void {
    this.#retryAt = this.#context.environment.clock.elapsed() + this.#backoff.fail();
  }

  /** Whether to give up: after the retention; if a key is missing, after ten times that. */
  #isGivenUp(obstacles: readonly Obstacle[]): boolean {
    const { state, log, config } = this.#context;
    const now = Math.round(log.now());
    const since = state.transaction(() => state.restoring.hold(now), { durable: false });
    const lives = obstacles.some(isLocked) ? LOCKED_LIVES : 1;
    if (now - since < lives * patienceOf(config)) return false;
    logger.error("{count} objects in newest/ cannot be read and are given up", {
      count: obstacles.length,
    });
    return true;
  }

  #logObstacle(error: Obstacle): void {
    this.#problems.problem(error.message, {
      text:
        "{message}; an older update of its feed is restored, if there is one, until a retry succeeds",
      properties: { message: messageOf(error) },
      kind: String(this.#context.log.keysRevision),
    }, "error");
  }

  #noteFailure(error: unknown): void {
    if (this.#context.signal.aborted) return;
    this.#retryLater();
    const properties = { message: messageOf(error) };
    const text = "Cannot restore missing updates, trying again later: {message}";
    this.#problems.problem("restore", { text, properties });
  }
}
