/**
 * When this server restores, and what comes of it: at its first start, after a gap or an absence. The log is read
 * beside it.
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
import { LOCKED_LIVES } from "../../retention/expiry.ts";
import { findMissingFeeds, type MissingFeeds } from "./missing_feeds.ts";
import { type Obstacle, type RestoreContext, Restorer } from "./restorer.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Delays between attempts: each lists everything. */
const RETRY_RANGE = { minMs: 5_000, maxMs: 3_600_000 };

/** What cannot be read is given up after the retention; after a day when there is none. */
const DAY_MS = 24 * 60 * 60 * 1000;

/** Hashing any URL looks at the keys. */
const ANY_URL = "https://example.com/";

/** What it stands on. */
export interface RestorationContext extends RestoreContext {
  /** How long objects are waited for, and what a new server begins with. */
  readonly config: Pick<ResolvedConfig, "from" | "retention">;
}

/** Restores what is due, never twice at once. */
export class Restoration {
  readonly #context: RestorationContext;
  readonly #problems: OnceLog;
  readonly #backoff: Backoff;
  #retryAt = -Infinity;
  #running: Promise<void> | undefined;
  #obstacles: readonly Obstacle[] = [];
  #keysRevision = 0;
  /** How many reasons there were at the last attempt. */
  #reasons = 0;

  /** Nothing is restored yet. */
  constructor(context: RestorationContext) {
    const { environment } = context;
    this.#context = context;
    this.#problems = new OnceLog(logger, environment.clock);
    this.#backoff = new Backoff(environment.random, RETRY_RANGE);
  }

  /** Whether something may be missing. */
  get isDue(): boolean {
    return this.#context.state.restoring.isDue();
  }

  /** What could not be read the last time. */
  get unreadable(): UnreadableError[] {
    return this.#obstacles.filter(isUnreadable);
  }

  /** Begins to restore if that is due, unless it failed a short time ago. */
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
   * Restores what is due now.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the bucket, or some of it, cannot be read.
   * @throws {BackendUnavailableError | FeedSyncError} when a plugin stops working for too long.
   */
  async run(): Promise<void> {
    await this.idle();
    if (!this.isDue) return;
    const failures: unknown[] = [];
    await this.#begin(() => this.#restore().catch((error) => void failures.push(error)));
    if (failures.length > 0) throw failures[0];
    const refusal = this.#obstacles.find((error) => error instanceof AccessDeniedError);
    if (refusal && this.isDue) throw refusal;
  }

  /** Restores what became due since the last attempt. */
  async runForNews(): Promise<void> {
    await this.idle();
    if (this.#context.state.restoring.reasons() > this.#reasons) await this.run();
  }

  /** Waits until nothing is being restored. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** `work` never rejects. */
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
    const { restoring } = state;
    const reasons = this.#reasons = restoring.reasons(); // Those from now on take another restore.
    const looksTwice = !restoring.wasServed();
    const since = from === "now" ? Number(state.fact("enteredAt") ?? 0) : 0;
    const options = { looksTwice, since, requests: budget.restoring.low, signal };
    const found = new Map<string, Obstacle>(); // What is in the way of both looks is one obstacle.
    for await (const missing of findMissingFeeds(this.#context, options)) {
      for (const obstacle of await this.#restoreFeeds(missing)) {
        found.set(obstacle.message, obstacle);
      }
    }
    const obstacles = this.#obstacles = [...found.values()];
    this.#keysRevision = log.keysRevision;
    for (const error of obstacles) this.#tell(error);
    this.#problems.resolved("restore", { text: "Restoring goes on" });
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

  #noteServed(reasons: number): void {
    const { state } = this.#context;
    state.transaction(() => state.restoring.noteServed(reasons), { durable: false });
    this.#backoff.succeed();
    this.#retryAt = -Infinity;
  }

  #retryLater(): void {
    this.#retryAt = this.#context.environment.clock.elapsed() + this.#backoff.fail();
  }

  /** Damaged objects for the retention, what lacks a key for ten times that: as in the log. */
  #isGivenUp(obstacles: readonly Obstacle[]): boolean {
    const { state, log, config: { retention } } = this.#context;
    const now = Math.round(log.now());
    const since = state.transaction(() => state.restoring.hold(now), { durable: false });
    const patienceMs = retention === false ? DAY_MS : retention;
    const lives = obstacles.some(isLocked) ? LOCKED_LIVES : 1;
    if (now - since < lives * patienceMs) return false;
    logger.error("{count} objects of what is kept for good cannot be read and are given up", {
      count: obstacles.length,
    });
    return true;
  }

  #tell(error: Obstacle): void {
    this.#problems.problem(error.message, {
      text: "{message}; an older update of its feed is restored, or none, and it is tried again",
      properties: { message: messageOf(error) },
      kind: String(this.#context.log.keysRevision),
    }, "error");
  }

  #noteFailure(error: unknown): void {
    if (this.#context.signal.aborted) return;
    this.#retryLater();
    const properties = { message: messageOf(error) };
    const text = "Cannot restore what is missing here, trying again: {message}";
    this.#problems.problem("restore", { text, properties });
  }
}
