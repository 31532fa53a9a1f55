/**
 * Calling one plugin: with a timeout, again when it fails, and patiently when its backend is down.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { backoff, type Environment, sleep } from "../environment.ts";
import { messageOf, RejectedUpdateError } from "../errors.ts";
import { shownUrl } from "../feed_url.ts";
import type { RunningPlugin } from "../plugin.ts";
import type { Gap, Update } from "../update.ts";

const logger = getLogger(["feedsync", "plugin"]);

/** A failed call is repeated so many times. */
const RETRIES = 3;

/** When so many updates in a row fail, it is the plugin's backend that is down. */
const FAILURES_IN_A_ROW = 5;

/** Delays between attempts, in milliseconds: the first, and the longest. */
const RETRY_BASE = 250, RETRY_CAP = 60_000;

/** How calls are made. */
export interface CallOptions {
  /** Time and randomness. */
  readonly environment: Environment;
  /** Most milliseconds for one call. */
  readonly timeout: number;
  /** Ends running calls. */
  readonly forced: AbortSignal;
}

/** Calls one plugin. */
export class PluginCaller {
  readonly #plugin: RunningPlugin;
  readonly #options: CallOptions;
  #failuresInARow = 0;

  /** A caller of `plugin`. */
  constructor(plugin: RunningPlugin, options: CallOptions) {
    this.#plugin = plugin;
    this.#options = options;
  }

  /** Name of the plugin. */
  get name(): string {
    return this.#plugin.name;
  }

  /**
   * Hands over an update, asked for anew at each attempt (`again`: not the first). Resolves to the
   * error when the plugin cannot apply it. While its backend is down, waits until it succeeds or `signal` is aborted.
   */
  async update(current: (again: boolean) => Update, signal: AbortSignal): Promise<unknown> {
    const { clock, random } = this.#options.environment;
    for (let attempt = 1;; attempt++) {
      try {
        await this.once(current(attempt > 1));
        this.#failuresInARow = 0;
        return undefined;
      } catch (thrown) {
        const error = thrown ?? new Error("It failed without a reason");
        if (error instanceof RejectedUpdateError) return error;
        this.#options.forced.throwIfAborted();
        if (attempt > RETRIES && ++this.#failuresInARow < FAILURES_IN_A_ROW) return error;
        signal.throwIfAborted();
        this.#report(attempt, current(true).url, error);
      }
      await sleep(clock, backoff(random, attempt, RETRY_BASE, RETRY_CAP), signal);
    }
  }

  /** Hands over an update a single time; rejects with what the plugin throws, or with a timeout. */
  once(update: Update): Promise<void> {
    return this.#call((signal) => this.#plugin.onUpdate(update, signal));
  }

  /** Tells of a gap; a failure is logged, not repeated. */
  async gap(gap: Gap, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      await this.#call((call) => this.#plugin.onGap(gap, call));
    } catch (error) {
      this.#options.forced.throwIfAborted();
      logger.error("{plugin} failed to take note of a gap: {message}", {
        plugin: this.name,
        message: messageOf(error),
      });
    }
  }

  async #call(call: (signal: AbortSignal) => void | Promise<void>): Promise<void> {
    const { environment: { clock }, timeout, forced } = this.#options;
    const controller = new AbortController();
    const result = call(controller.signal);
    if (result === undefined) return;
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (error: unknown) => {
      controller.abort(error);
      reject(error);
    };
    const cancel = clock.setTimer(
      timeout,
      () => end(new DOMException(`The call took longer than ${timeout / 1000} s`, "TimeoutError")),
    );
    const onForced = () => end(forced.reason);
    forced.addEventListener("abort", onForced, { once: true });
    try {
      await Promise.race([result, ended]);
    } finally {
      cancel();
      forced.removeEventListener("abort", onForced);
    }
  }

  #report(attempt: number, url: string, error: unknown): void {
    const down = this.#failuresInARow >= FAILURES_IN_A_ROW;
    const text = down
      ? "{plugin} fails for every update, reading waits until it works again: {message}"
      : "{plugin} failed to apply {url}, trying again: {message}";
    const properties = { plugin: this.name, url: shownUrl(url), message: messageOf(error) };
    if (attempt === 1 || down) logger.warn(text, properties);
    else logger.debug(text, properties);
  }
}
