/**
 * Calling one plugin: with a timeout, again when it fails, and patiently when its backend is away.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import { getLogger } from "@logtape/logtape";
import { Backoff } from "../base/backoff.ts";
import { withDeadline } from "../base/deadline.ts";
import { sleep } from "../base/environment.ts";
import { OnceLog } from "../base/once_log.ts";
import { CallTimeoutError, failureOf, tellFailure } from "../plugins/failure.ts";
import { BackendUnavailableError, FeedSyncError } from "../errors.ts";
import { feedIdentity, shownUrl } from "../feed_url.ts";
import { Outage } from "./outage.ts";
import type { RunningPlugin } from "../plugin.ts";
import type { Gap, Update } from "../update.ts";

const logger = getLogger(["feedsync", "plugin"]);

/** How often a call that failed for an unknown reason is repeated. */
const MAX_RETRIES = 3;

/** When so many updates in a row fail, the plugin's backend is taken to be away. */
const MAX_FAILURES_IN_A_ROW = 5;

/** Delays between the attempts to apply one update. */
const RETRY_RANGE = { minMs: 250, maxMs: 60_000 };

/**
 * How long an update may hold up reading. Then it is set aside as a dead letter, in case it is to blame, and
 * the next one tries whether the plugin works.
 */
const MAX_HELD_MS = { unexplained: 300_000, unavailable: 3_600_000 };

/** For how long a plugin is taken to work after it applied something. */
const FRESH_MS = 60_000;

/** How calls are made. */
export interface CallOptions extends Pick<Core, "environment"> {
  /** Most milliseconds for one call. */
  readonly timeout: number;
  /** Ends running calls. */
  readonly forced: AbortSignal;
  /** See {@linkcode WatchOptions.outagePatience}. @default never */
  readonly outagePatienceMs?: number | undefined;
  /** Told when the plugin works for the first time, or again. */
  readonly onWorking?: (plugin: string) => void;
}

/** An update that is not applied. */
export interface GivenUp {
  /** What the plugin threw. */
  readonly error: unknown;
  /** It is the update's fault: others were applied meanwhile, or the plugin says so. */
  readonly isFinal: boolean;
  /** The backend could not be reached; when it says so, for how many milliseconds. */
  readonly outage?: { readonly retryAfterMs?: number };
}

/** A failed call that others may repeat. */
interface Unapplied {
  readonly error: unknown;
  readonly kind: "unavailable" | "unexplained";
  readonly retryAfterMs?: number;
}

/** Calls one plugin. */
export class PluginCaller {
  readonly #plugin: RunningPlugin;
  readonly #options: CallOptions;
  readonly #outage: Outage;
  readonly #problems: OnceLog;
  #failuresInARow = 0;
  #applied = 0;
  #appliedAt = -Infinity;

  /** A caller of `plugin`. */
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

  /**
   * Hands over an update, asked for anew at each attempt (`again`: not the first). Resolves to what
   * became of it when the plugin cannot apply it. While its backend is away, waits until it succeeds,
   * `signal` is aborted, or the update has held up reading for so long that it may be to blame. An update
   * that fails again and again while others are applied in between is no sign of an outage, whatever its
   * error says. `heldMs`: how long it has held up reading already, in earlier polls.
   *
   * @throws {BackendUnavailableError} when the backend was away for longer than `outagePatienceMs`.
   * @throws {FeedSyncError} when the plugin failed for every update for so long.
   */
  async update(
    current: (again: boolean) => Update,
    signal: AbortSignal,
    heldMs: () => number = () => 0,
  ): Promise<GivenUp | undefined> {
    const appliedBefore = this.#applied;
    let applied = appliedBefore, contradictions = 0;
    const backoff = new Backoff(this.#options.environment.random, RETRY_RANGE);
    for (let attempt = 1;; attempt++) {
      if (attempt > 1) signal.throwIfAborted();
      const failed = this.#outage.isOngoing
        ? await this.#inTurn(() => this.#try(current(attempt > 1)), signal)
        : await this.#try(current(attempt > 1));
      if (!failed) return undefined;
      const { error, kind } = failed, { url } = current(true);
      if (kind === "rejected") return { error, isFinal: true };
      const isContradicted = kind === "unavailable" && this.#applied > applied;
      if (isContradicted && ++contradictions > MAX_RETRIES) return { error, isFinal: false };
      applied = this.#applied;
      if (kind === "unavailable" || this.#failsAlways()) {
        if (this.#setAside(failed, url, heldMs())) return { error, isFinal: false };
        this.#waitForBackend(failed, url);
        continue;
      }
      this.#outage.end(); // The backend answers.
      this.#problems.resolved(this.name);
      if (backoff.failures < MAX_RETRIES) {
        await this.#pause(backoff, { error, url }, signal);
      } else if (++this.#failuresInARow < MAX_FAILURES_IN_A_ROW) {
        return { error, isFinal: this.#applied > appliedBefore };
      } else this.#waitForBackend(failed, url);
    }
  }

  /** Hands over once more what was given up before; nobody waits for it. */
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

  /** Hands over an update a single time; rejects with what the plugin throws, or with a timeout. */
  once(update: Update): Promise<void> {
    return this.#call((signal) => this.#plugin.onUpdate(update, signal));
  }

  /** Tells of a gap, as soon as the backend can be reached; what else fails is logged, not repeated. */
  async gap(gap: Gap, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        const tell = () => this.#call((call) => this.#plugin.onGap(gap, call));
        return await this.#inTurn(tell, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#options.forced.throwIfAborted();
        const failure = failureOf(error);
        if (failure.kind === "unavailable") this.#waitForBackend({ error, ...failure });
        else {
          const properties = { plugin: this.name, message: tellFailure(error) };
          return logger.error("{plugin} failed to take note of a gap: {message}", properties);
        }
      }
    }
  }

  /** Whether an update makes room for the next one, which makes the next attempt in the outage. */
  #setAside({ kind, retryAfterMs }: Unapplied, url: string, heldMs: number): boolean {
    const feed = feedIdentity(url), outage = this.#outage, maxHeldMs = MAX_HELD_MS[kind];
    if (heldMs < maxHeldMs && !outage.isHeldFor(maxHeldMs, feed)) return false;
    outage.goOn(retryAfterMs);
    outage.setAside(feed);
    return true;
  }

  /** Makes an attempt when it is its turn. */
  async #inTurn<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (!this.#outage.isOngoing) return await attempt();
    using _turn = await this.#outage.turn(signal);
    return await attempt();
  }

  /** So many updates failed in a row that one more tells nothing of itself. */
  #failsAlways(): boolean {
    return this.#outage.isOngoing && this.#failuresInARow >= MAX_FAILURES_IN_A_ROW;
  }

  /** One attempt; resolves to what is wrong when it fails. */
  async #try(update: Update) {
    try {
      await this.once(update);
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

  async #call(call: (signal: AbortSignal) => void | Promise<void>): Promise<void> {
    const { environment: { clock }, timeout: timeoutMs, forced: signal } = this.#options;
    const timeoutReason = () =>
      new CallTimeoutError(`The call took longer than ${timeoutMs / 1000} s`);
    await withDeadline(call, { clock, timeoutMs, signal, timeoutReason });
  }

  /** Waits before the next attempt with an update that failed for no known reason. */
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

  /** The outage begins or goes on. */
  #waitForBackend({ error, kind, retryAfterMs }: Unapplied, url?: string): void {
    const isAway = kind === "unavailable";
    const text = isAway
      ? "{plugin} cannot reach its backend, reading waits until it can: {message}"
      : "{plugin} fails for every update, reading waits until it works again: {message}";
    const message = tellFailure(error, url);
    const properties = { plugin: this.name, message };
    const isLogged = this.#problems.problem(this.name, { text, properties, kind });
    if (!isLogged) logger.debug(text, properties);
    this.#outage.goOn(retryAfterMs);
    const { outagePatienceMs = Infinity } = this.#options;
    if (this.#outage.willLastFor() < outagePatienceMs) return;
    const problem = isAway ? "cannot reach its backend" : "fails for every update";
    throw new (isAway ? BackendUnavailableError : FeedSyncError)(
      `The plugin ${this.name} ${problem}; what it lacks is applied the next time: ${message}`,
      { cause: error },
    );
  }
}
