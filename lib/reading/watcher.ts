/**
 * The loop behind {@linkcode watch}: when to poll, when to clean up, how to stop.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Bell } from "../bell.ts";
import { closePlugins } from "./close_plugins.ts";
import type { Connection, Parts } from "../connection.ts";
import type { DeliveredCommit } from "./delivered_commits.ts";
import { Delivery } from "./delivery.ts";
import { AccessDeniedError, ConfigError, messageOf, StateError } from "../errors.ts";
import type { ObjectName } from "../keys.ts";
import type { RunningPlugin } from "../plugin.ts";
import { PollPace } from "./poll_pace.ts";
import { Poller } from "./poller.ts";
import { MarkerReader } from "../wake/marker.ts";
import { FileLock } from "../state/lock.ts";
import { RegularCleanup } from "./regular_cleanup.ts";
import { type Hear, startWakeUps } from "../wake/sources.ts";
import type { PollReport, Watcher, WatchOptions } from "../watch.ts";

const logger = getLogger(["feedsync", "watch"]);

/** The one implementation of {@linkcode Watcher}. */
export class BucketWatcher implements Watcher {
  readonly #ready = Promise.withResolvers<void>();
  readonly #finished: Promise<void>;
  /** Somebody sees how it ends; otherwise the log tells. */
  #observed = false;
  readonly #connection: Connection;
  readonly #options: WatchOptions;
  readonly #stopping = new AbortController();
  readonly #forced = new AbortController();
  readonly #bell: Bell | undefined;
  #delivery: Delivery | undefined;
  #poller: Poller | undefined;
  #polling: Promise<boolean> | undefined;
  #nextPoll: Promise<boolean> | undefined;
  #reachable = true;

  /** Starts at once. */
  constructor(
    connection: Connection,
    plugins: () => Promise<readonly RunningPlugin[]>,
    options: WatchOptions,
  ) {
    this.#connection = connection;
    this.#options = options;
    const { parts } = connection;
    this.#bell = parts && new Bell(parts.environment.clock);
    this.#finished = parts ? this.#run(parts, plugins) : Promise.resolve();
    this.#finished.then(this.#ready.resolve, this.#ready.reject);
    this.#ready.promise.catch(() => {});
    options.signal?.addEventListener("abort", () => this.#stop(), { once: true });
    if (options.signal?.aborted) this.#stop();
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
    await this.ready;
    if (!this.#delivery) return { applied: 0, gaps: 0, missingKeys: [] };
    const before = this.#delivery.counts;
    await this.#pollFromNow();
    await this.#poller!.idle();
    const { applied, gaps } = this.#delivery.counts;
    return {
      applied: applied - before.applied,
      gaps: gaps - before.gaps,
      missingKeys: this.#poller!.missingKeys,
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
    let running: readonly RunningPlugin[] = [];
    await Promise.resolve(); // Until the caller holds the watcher, and can see how it ends.
    try {
      if (!lock.tryAcquire()) {
        throw new StateError(
          `Cannot watch with the state ${state.path}: another process watches with it already`,
        );
      }
      running = await plugins();
      this.#begin(parts, running);
      await (this.#options.manual ? this.#wait() : this.#loop(parts));
      await this.#drain(parts);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (!this.#observed) logger.error("{message}", { message: messageOf(error) });
      throw error;
    } finally {
      this.#stop();
      await closePlugins(running, { clock: environment.clock, timeout: config.stopTimeout });
    }
  }

  #begin(parts: Parts, plugins: readonly RunningPlugin[]): void {
    const { config } = this.#connection;
    const { state, store, environment, uploader } = parts;
    const { callbackTimeout, includeOwn } = config;
    const forced = this.#forced.signal;
    const delivery = new Delivery({
      state,
      store,
      environment,
      plugins,
      callbackTimeout,
      forced,
    });
    this.#delivery = delivery;
    this.#poller = new Poller(parts, { config, delivery, signal: this.#stopping.signal });
    this.#warnAfterAbsence(parts);
    if (!includeOwn) {
      let hint = " (others apply it; to see that here, watch as another --server)";
      uploader.onCommit.push(({ rows }) => {
        for (const { url } of rows) {
          logger.info("{url} published, not applied here{hint}", { url, hint });
          hint = "";
        }
      });
    }
  }

  async #loop(parts: Parts): Promise<void> {
    const { store, environment: { random } } = parts;
    const { poll, retention } = this.#connection.config;
    await using _hint = store.watch?.("tail/", () => this.#bell!.ring());
    const hear: Hear = (...commit) => this.hear(...commit);
    await using _sources = await startWakeUps(this.#connection.config, parts, hear);
    this.#ready.resolve();
    const cleanup = new RegularCleanup(store, parts.environment, retention);
    const pace = new PollPace(poll, random);
    const marker = this.#connection.config.marker ? new MarkerReader(parts) : undefined;
    let isWoken = false;
    for (let first = true; !this.#stopping.signal.aborted; first = false) {
      try {
        if (isWoken) await this.#pollFromNow();
        else pace.polled(await this.#pollInTurn(marker));
      } catch (error) {
        pace.failed();
        this.#noteFailure(error, first);
      }
      await cleanup.runIfDue(this.#stopping.signal);
      isWoken = await this.#bell!.wait(pace.next());
    }
  }

  /** A poll that nobody asked for; spared when the marker says that nothing has happened. */
  async #pollInTurn(marker: MarkerReader | undefined): Promise<boolean> {
    const { signal } = this.#stopping;
    const isIdle = marker && !await marker.hasChanged({ signal }) && !this.#poller!.hasUnread();
    if (isIdle) {
      this.#noteSuccess();
      return false;
    }
    const foundNews = await this.#pollFromNow();
    marker?.noteListing();
    return foundNews;
  }

  /** Is told of a commit, by a peer with what is in it. What comes out of turn a poll finds. */
  hear(name: ObjectName, delivered?: DeliveredCommit): void {
    if (!this.#poller?.hear(name, delivered)) this.#bell?.ring();
  }

  /** A poll that begins after this call: one that is under way may have listed too early. */
  #pollFromNow(): Promise<boolean> {
    if (!this.#polling) {
      this.#polling = this.#poller!.poll().finally(() => this.#polling = undefined);
      return this.#polling.then((foundNews) => {
        this.#noteSuccess();
        return foundNews;
      });
    }
    return this.#nextPoll ??= this.#polling.catch(() => {}).then(() => {
      this.#nextPoll = undefined;
      return this.#pollFromNow();
    });
  }

  #noteSuccess(): void {
    if (!this.#reachable) logger.info("The store can be reached again");
    this.#reachable = true;
  }

  #noteFailure(error: unknown, first: boolean): void {
    if (this.#stopping.signal.aborted) return;
    if (first && (error instanceof AccessDeniedError || error instanceof ConfigError)) throw error;
    this.#connection.parts!.uploader.start(); // Without waiting for a listing to start with.
    if (this.#reachable) {
      logger.warn("{message} (retrying; nothing is lost)", { message: messageOf(error) });
    }
    this.#reachable = false;
  }

  #warnAfterAbsence({ state, environment: { clock } }: Parts): void {
    const { retention } = this.#connection.config;
    const lastPoll = state.fact("lastPoll");
    if (lastPoll === undefined || retention === false) return;
    const hours = Math.round((clock.now() - Number(lastPoll)) / 360_000) / 10;
    if (clock.now() - Number(lastPoll) <= retention) return;
    logger.warn(
      "This server was away for {hours} hours, longer than updates are kept; what it missed is " +
        "reported as gaps",
      { hours },
    );
  }

  #stop(): void {
    this.#stopping.abort();
    this.#bell?.ring();
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
  async #drain({ environment: { clock } }: Parts): Promise<void> {
    const cancel = clock.setTimer(
      this.#connection.config.stopTimeout,
      () => this.#forced.abort(new DOMException("The watcher stops", "AbortError")),
    );
    await this.#polling?.catch(() => {});
    await this.#poller!.idle().catch(() => {});
    cancel();
  }
}
