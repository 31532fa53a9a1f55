/**
 * Implements {@linkcode watch}: how a watcher starts, and how it stops.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Deadline } from "../base/deadline.ts";
import type { Connection, Parts } from "../connection.ts";
import type { DeliveredCommit } from "../wake/source.ts";
import { Delivery } from "./delivery.ts";
import { parseDuration } from "../base/duration.ts";
import { ClosedError, messageOf, StateError } from "../errors.ts";
import { shownUrl } from "../feed_url.ts";
import type { ObjectName } from "../log/names.ts";
import type { RunningPlugin } from "../plugin.ts";
import { closePlugins, setUpPlugins } from "../plugins/lifecycle.ts";
import { PollLoop } from "./poll_loop.ts";
import { Poller } from "./poller.ts";
import type { StoredCommit } from "../publishing/commit.ts";
import type { Uploader } from "../publishing/uploader.ts";
import { FileLock } from "../state/lock.ts";
import type { PollReport, Watcher, WatchOptions } from "./watcher.ts";

const logger = getLogger(["feedsync", "watch"]);

/** The one implementation of {@linkcode Watcher}. */
export class BucketWatcher implements Watcher {
  readonly #ready = Promise.withResolvers<void>();
  readonly #finished: Promise<void>;
  /** Whether the caller observes the end; otherwise a failure is logged. */
  #observed = false;
  readonly #connection: Connection;
  readonly #options: WatchOptions;
  readonly #outagePatienceMs: number;
  readonly #stopping = new AbortController();
  #delivery: Delivery | undefined;
  #poller: Poller | undefined;
  #loop: PollLoop | undefined;
  #redelivering: Promise<void> | undefined;

  /** Starts immediately. */
  constructor(
    connection: Connection,
    plugins: () => Promise<readonly RunningPlugin[]>,
    options: WatchOptions,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#outagePatienceMs = patienceOf(options, connection.config.callbackTimeout);
    const { parts } = connection;
    const forget = connection.startWatching(this);
    this.#finished = parts ? this.#run(parts, plugins).finally(forget) : Promise.resolve();
    this.#finished.then(this.#ready.resolve, this.#ready.reject);
    this.#ready.promise.catch(() => {});
    const { signal } = options;
    if (!signal) return;
    const stop = () => this.#stop(signal.reason);
    signal.addEventListener("abort", stop, { once: true, signal: this.#stopping.signal });
    if (signal.aborted) stop();
  }

  get ready(): Promise<void> {
    this.#observed = true;
    return this.#ready.promise;
  }

  get finished(): Promise<void> {
    this.#observed = true;
    return this.#finished;
  }

  async poll(): Promise<PollReport> {
    const { signal } = this.#stopping;
    if (signal.aborted) await this.finished; // Rejects if an error ended the watcher.
    if (signal.aborted) throw closedError({ cause: signal.reason });
    try {
      await this.ready;
      signal.throwIfAborted();
      return await this.#pollNow();
    } catch (error) {
      if (!signal.aborted) throw error;
      await this.finished;
      throw signal.reason;
    }
  }

  async #pollNow(): Promise<PollReport> {
    const delivery = this.#delivery, poller = this.#poller!;
    if (!delivery) return { applied: 0, failed: 0, gaps: 0, unreadable: [] };
    const before = delivery.counts;
    poller.retryAll();
    await this.#loop!.poll();
    await poller.idle();
    await delivery.redelivery.run(this.#stopping.signal);
    const { applied, failed, gaps } = delivery.counts;
    return {
      applied: applied - before.applied,
      failed: failed - before.failed,
      gaps: gaps - before.gaps,
      unreadable: poller.unreadable,
    };
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#finished.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(
    parts: Parts,
    plugins: () => Promise<readonly RunningPlugin[]>,
  ): Promise<void> {
    const { state, environment } = parts;
    const { config } = this.#connection;
    using lock = new FileLock(state.path === ":memory:" ? undefined : `${state.path}.watch.lock`);
    using callDeadline = new Deadline(environment.clock); // It starts when the watcher stops.
    let running: readonly RunningPlugin[] = [];
    await Promise.resolve(); // Gives the caller the chance to observe the end.
    try {
      if (!lock.tryAcquire()) {
        throw new StateError(
          `Cannot watch with the state ${state.path}: another process already watches with it`,
        );
      }
      running = await setUpPlugins(plugins, {
        environment,
        signal: this.#stopping.signal,
        timeoutMs: config.stopTimeout,
        patienceMs: this.#outagePatienceMs,
      });
      this.#begin(parts, running, callDeadline.signal);
      await (this.#options.manual ? this.#wait() : this.#loop!.run(this.#ready.resolve));
      await this.#drain(callDeadline);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (!this.#observed) logger.error("{message}", { message: messageOf(error) });
      throw error;
    } finally {
      this.#stop();
      await this.#redelivering;
      await closePlugins(running, { clock: environment.clock, timeoutMs: config.stopTimeout });
    }
  }

  #begin(parts: Parts, plugins: readonly RunningPlugin[], forced: AbortSignal): void {
    const { config } = this.#connection;
    const { state, log, environment, uploader, feedLocks } = parts;
    const { callbackTimeout, includeOwn } = config;
    state.noteWatchedPlugins(plugins.map(({ name }) => name));
    const delivery = new Delivery({
      state,
      log,
      environment,
      feedLocks,
      plugins,
      callbackTimeout,
      forced,
      onDeadLetter: this.#options.onDeadLetter,
      outagePatienceMs: this.#outagePatienceMs,
    });
    this.#delivery = delivery;
    const { signal } = this.#stopping;
    if (!this.#options.manual) this.#redelivering = delivery.redelivery.keepTrying(signal);
    this.#poller = new Poller(parts, { config, delivery, signal });
    this.#loop = new PollLoop(parts, { config, poller: this.#poller, signal });
    this.#warnAfterAbsence(parts);
    if (!includeOwn) this.#logOwn(uploader);
  }

  /** Logs updates that are published but not applied here, until the watcher stops. */
  #logOwn({ onCommit }: Uploader): void {
    let hint = " (others apply it; to see that here, watch as another --server)";
    const log = ({ rows }: StoredCommit) => {
      for (const { url, body } of rows) {
        const what = body.startsWith('"removed":true') ? "removal of " : "";
        const properties = { what, url: shownUrl(url), hint };
        logger.info("{what}{url} published, not applied here{hint}", properties);
        hint = "";
      }
    };
    onCommit.push(log);
    const stopLogging = () => void onCommit.splice(onCommit.indexOf(log), 1);
    this.#stopping.signal.addEventListener("abort", stopLogging, { once: true });
  }

  /** Handles the announcement of a commit, with its updates if a peer sent them. */
  hear(name: ObjectName, delivered?: DeliveredCommit): void {
    this.#loop?.hear(name, delivered);
  }

  #warnAfterAbsence({ state, environment: { clock } }: Parts): void {
    const { retention } = this.#connection.config;
    const lastPoll = state.fact("lastPoll");
    if (lastPoll === undefined || retention === false) return;
    const hours = Math.round((clock.now() - Number(lastPoll)) / 360_000) / 10;
    if (clock.now() - Number(lastPoll) <= retention) return;
    logger.warn(
      "This server was away for {hours} hours, longer than updates are kept; updates that it " +
        "missed are reported as gaps",
      { hours },
    );
  }

  /** Stops the watcher; calls in progress reject with this reason. */
  #stop(reason: unknown = closedError()): void {
    this.#stopping.abort(reason);
  }

  #wait(): Promise<void> {
    const { signal } = this.#stopping;
    this.#ready.resolve();
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Lets running callbacks finish, up to `stopTimeout`. */
  async #drain(callDeadline: Deadline): Promise<void> {
    const reason = () => new DOMException("The watcher stops", "AbortError");
    callDeadline.allow(this.#connection.config.stopTimeout, reason);
    await this.#loop!.idle();
    await this.#poller!.idle().catch(() => {});
    await this.#redelivering;
  }
}

function patienceOf({ manual, outagePatience }: WatchOptions, callbackTimeout: number): number {
  const patience = outagePatience ?? (manual && callbackTimeout);
  return patience === undefined || patience === false ? Infinity : parseDuration(patience);
}

function closedError(options?: ErrorOptions): ClosedError {
  return new ClosedError("Cannot use this watcher: it is closed", options);
}
