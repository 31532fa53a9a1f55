/**
 * Calls one plugin: with a timeout, with retries when it fails, and waiting while its backend is
 * away.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import { getLogger } from "@logtape/logtape";
import { Backoff } from "../base/backoff.ts";
import { isThenable, withDeadline } from "../base/deadline.ts";
import { sleep } from "../base/environment.ts";
import { OnceLog } from "../base/once_log.ts";
import { CallTimeoutError, type Failure, failureOf, tellFailure } from "../plugins/failure.ts";
import { BackendUnavailableError, FeedSyncError } from "../errors.ts";
import { feedIdentity, shownUrl } from "../feed_url.ts";
import { Outage } from "./outage.ts";
import type { RunningPlugin } from "../plugin.ts";
import type { Gap, Update } from "../update.ts";

const logger = getLogger(["feedsync", "plugin"]);

/** Maximum number of retries of a call that failed for an unknown reason. */
const MAX_RETRIES = 3;

/**
 * Number of consecutive failed updates after which the backend of the plugin is assumed to be away.
 */
const MAX_FAILURES_IN_A_ROW = 5;

/** Delay between the attempts to apply one update. */
const RETRY_RANGE = { minMs: 250, maxMs: 60_000 };

/**
 * Maximum time for which an update may hold up reading. Then it is set aside as a dead letter,
 * since it may be the cause, and the next update shows whether the plugin works.
 */
const MAX_HELD_MS = { unexplained: 300_000, unavailable: 3_600_000 };

/** How long a plugin is assumed to work after it applied an update. */
const FRESH_MS = 60_000;

/** Options of {@linkcode PluginCaller}. */
export interface CallOptions extends Pick<Core, "environment"> {
  /** Maximum duration of one call. */
  readonly timeoutMs: number;
  /** Aborts running calls. */
  readonly forced: AbortSignal;
  /** See {@linkcode WatchOptions.outagePatience}. @default never */
  readonly outagePatienceMs?: number | undefined;
  /** Called when the plugin works for the first time, or works again. */
  readonly onWorking?: (plugin: string) => void;
}

/** An update that was given up. */
export interface GivenUp {
  /** The error that the plugin threw. */
  readonly error: unknown;
  /** Whether the update is the cause: others were applied meanwhile, or the plugin rejected it. */
  readonly isFinal: boolean;
  /** Set when the backend could not be reached, with the delay that it asked for, if any. */
  readonly outage?: { readonly retryAfterMs?: number };
}

/** A failed call. */
type Failed = Failure & { readonly error: unknown };

/** A failed call that may be repeated. */
interface Unapplied {
  readonly error: unknown;
  readonly kind: "unavailable" | "unexplained";
  readonly retryAfterMs?: number;
}

/** Calls one plugin, and tracks whether it works. */
export class PluginCaller {
  readonly #plugin: RunningPlugin;
  readonly #options: CallOptions;
  readonly #outage: Outage;
  readonly #problems: OnceLog;
  #failuresInARow = 0;
  #applied = 0;
  #appliedAt = -Infinity;
  #waitsFor = "";

  /** Creates a caller of `plugin`. */
  constructor(plugin: RunningPlugin, options: CallOptions) {
    this.#plugin = plugin;
    this.#options = options;
    this.#outage = new Outage(options.environment);
    this.#problems = new OnceLog(logger, options.environment.clock);
  }

  /** Name of the plugin. */
  get name(): string {
    return this.#plugin.name;
  }

  /** Number of updates of one stream that it may be called for at the same time. */
  get concurrency(): number {
    return this.#plugin.concurrency ?? 1;
  }

  /** Why reading waits for the plugin; undefined when it does not. */
  get outage(): string | undefined {
    return this.#outage.isOngoing ? this.#waitsFor : undefined;
  }

  /**
   * Delivers an update. Resolves to `undefined` when it is applied, else to why it was given up;
   * returns `undefined` when the plugin has applied it without waiting for anything.
   *
   * `current` returns the update for each attempt; `again` is true for all but the first. While the
   * backend is away, waits until the plugin succeeds, `signal` is aborted, or the update has held
   * up reading for so long that it may be the cause. An update that fails repeatedly while others
   * are applied is not a sign of an outage, whatever its error says. `heldMs`: how long the update
   * has held up reading in earlier polls.
   *
   * Rejects with {@linkcode BackendUnavailableError} when the backend was away for longer than
   * `outagePatienceMs`, and with {@linkcode FeedSyncError} when the plugin failed for every update
   * for longer than that.
   */
  update(
    current: (again: boolean) => Update,
    signal: AbortSignal,
    heldMs: () => number = () => 0,
  ): Promise<GivenUp | undefined> | undefined {
    const attempt = this.#outage.isOngoing
      ? this.#inTurn(() => this.#try(current(false)), signal)
      : this.#try(current(false));
    return attempt && this.#keepTrying(attempt, { current, signal, heldMs });
  }

  async #keepTrying(
    attempt: Promise<Failed | undefined> | undefined,
    { current, signal, heldMs }: {
      current: (again: boolean) => Update;
      signal: AbortSignal;
      heldMs: () => number;
    },
  ): Promise<GivenUp | undefined> {
    const appliedBefore = this.#applied;
    let applied = appliedBefore, contradictions = 0;
    const backoff = new Backoff(this.#options.environment.random, RETRY_RANGE);
    for (;;) {
      const failed = await attempt;
      if (!failed) return undefined;
      const { error, kind } = failed, { url } = current(true);
      if (kind === "rejected") return { error, isFinal: true };
      const isContradicted = kind === "unavailable" && this.#applied > applied;
      if (isContradicted && ++contradictions > MAX_RETRIES) return { error, isFinal: false };
      applied = this.#applied;
      if (kind === "unavailable" || this.#failsAlways()) {
        if (this.#setAside(failed, url, heldMs())) return { error, isFinal: false };
        this.#waitForBackend(failed, url);
      } else {
        this.#outage.end(); // The backend answers.
        const properties = { plugin: this.name };
        this.#problems.resolved(this.name, {
          text: "{plugin} reaches its backend again",
          properties,
        });
        if (backoff.failures < MAX_RETRIES) {
          await this.#pause(backoff, { error, url }, signal);
        } else if (++this.#failuresInARow < MAX_FAILURES_IN_A_ROW) {
          return { error, isFinal: this.#applied > appliedBefore };
        } else this.#waitForBackend(failed, url);
      }
      signal.throwIfAborted();
      attempt = this.#outage.isOngoing
        ? this.#inTurn(() => this.#try(current(true)), signal)
        : this.#try(current(true));
    }
  }

  /** Delivers once more an update that was given up before; it does not hold up reading. */
  async retry(update: Update): Promise<GivenUp | undefined> {
    const { clock } = this.#options.environment;
    const failed = await this.#try(update);
    if (!failed) return undefined;
    const { error, kind } = failed;
    if (kind === "unavailable") return { error, isFinal: false, outage: failed };
    const works = this.#failuresInARow === 0 && !this.#outage.isOngoing &&
      clock.elapsed() - this.#appliedAt < FRESH_MS;
    return { error, isFinal: kind === "rejected" || works };
  }

  /** Delivers an update once; rejects with the error of the plugin, or with a timeout. */
  async once(update: Update): Promise<void> {
    await this.#call((signal) => this.#plugin.onUpdate(update, signal));
  }

  /**
   * Reports a gap, as soon as the backend can be reached. Other failures are logged and not
   * retried.
   */
  async gap(gap: Gap, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        const report = () => this.#call((call) => this.#plugin.onGap(gap, call));
        return await this.#inTurn(report, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#options.forced.throwIfAborted();
        const failure = failureOf(error);
        if (failure.kind === "unavailable") this.#waitForBackend({ error, ...failure });
        else {
          const properties = { plugin: this.name, message: tellFailure(error) };
          return logger.error("{plugin} failed to handle a gap: {message}", properties);
        }
      }
    }
  }

  /** Sets an update aside if it has held up reading for too long; returns whether it did. */
  #setAside({ kind, retryAfterMs }: Unapplied, url: string, heldMs: number): boolean {
    const feed = feedIdentity(url), outage = this.#outage, maxHeldMs = MAX_HELD_MS[kind];
    if (heldMs < maxHeldMs && !outage.isHeldFor(maxHeldMs, feed)) return false;
    outage.goOn(retryAfterMs);
    outage.setAside(feed);
    return true;
  }

  /** Makes an attempt; during an outage waits until one is allowed. */
  async #inTurn<T>(attempt: () => T | Promise<T>, signal: AbortSignal): Promise<T> {
    if (!this.#outage.isOngoing) return await attempt();
    using _turn = await this.#outage.turn(signal);
    return await attempt();
  }

  /**
   * Whether so many consecutive updates failed that one more failure says nothing about its update.
   */
  #failsAlways(): boolean {
    return this.#outage.isOngoing && this.#failuresInARow >= MAX_FAILURES_IN_A_ROW;
  }

  /** Makes one attempt; resolves to the failure, if it failed. */
  #try(update: Update): Promise<Failed | undefined> | undefined {
    let call: void | Promise<void>;
    try {
      call = this.#call((signal) => this.#plugin.onUpdate(update, signal));
    } catch (error) {
      call = Promise.reject(error);
    }
    if (isThenable(call)) return this.#outcomeOf(call);
    this.#noteSuccess();
    return undefined;
  }

  async #outcomeOf(call: Promise<void>): Promise<Failed | undefined> {
    try {
      await call;
    } catch (thrown) {
      const error = thrown ?? new Error("It failed without a reason");
      const failure = failureOf(error);
      if (failure.kind !== "rejected") this.#options.forced.throwIfAborted();
      return { error, ...failure };
    }
    this.#noteSuccess();
    return undefined;
  }

  #noteSuccess(): void {
    const news = this.#applied === 0 || this.#outage.isOngoing || this.#failuresInARow > 0;
    if (news) {
      const properties = { plugin: this.name };
      this.#problems.resolved(this.name, { text: "{plugin} works again", properties });
      this.#outage.end();
      this.#failuresInARow = 0;
    }
    this.#applied++;
    this.#appliedAt = this.#options.environment.clock.elapsed();
    if (news) this.#options.onWorking?.(this.name);
  }

  #call(call: (signal: AbortSignal) => void | Promise<void>): void | Promise<void> {
    const { environment: { clock }, timeoutMs, forced: signal } = this.#options;
    const timeoutReason = () =>
      new CallTimeoutError(`The call took longer than ${timeoutMs / 1000} s`);
    return withDeadline(call, { clock, timeoutMs, signal, timeoutReason });
  }

  /** Waits before the next attempt with an update that failed for an unknown reason. */
  async #pause(
    backoff: Backoff,
    { error, url }: { error: unknown; url: string },
    signal: AbortSignal,
  ): Promise<void> {
    const delayMs = backoff.fail();
    const message = tellFailure(error, url);
    const properties = { plugin: this.name, url: shownUrl(url), message };
    const text = "{plugin} failed to apply {url}, trying again: {message}";
    if (backoff.failures === 1) logger.warn(text, properties);
    else logger.debug(text, properties);
    await sleep(this.#options.environment.clock, delayMs, signal);
  }

  /** Notes that the outage begins or continues. */
  #waitForBackend({ error, kind, retryAfterMs }: Unapplied, url?: string): void {
    const isAway = kind === "unavailable";
    const text = isAway
      ? "{plugin} cannot reach its backend, reading waits until it can: {message}"
      : "{plugin} fails for every update, reading waits until it works again: {message}";
    const message = tellFailure(error, url);
    const properties = { plugin: this.name, message };
    const what = isAway ? "cannot reach its backend" : "fails for every update";
    this.#waitsFor = `${this.name} ${what}: ${message}`;
    const isLogged = this.#problems.problem(this.name, { text, properties, kind });
    if (!isLogged) logger.debug(text, properties);
    this.#outage.goOn(retryAfterMs);
    const { outagePatienceMs = Infinity } = this.#options;
    if (this.#outage.willLastFor() < outagePatienceMs) return;
    throw new (isAway ? BackendUnavailableError : FeedSyncError)(
      `The plugin ${this.name} ${what}; the updates it has not applied will be ` +
        `delivered again at the next poll: ${message}`,
      { cause: error },
    );
  }
}
