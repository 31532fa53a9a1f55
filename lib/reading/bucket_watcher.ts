/**
 * Implements {@linkcode watch}: how a watcher starts, and how it stops.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Deadline } from "../base/deadline.ts";
import { FleetKeeper, type FleetWork } from "../fleet/keeper.ts";
import type { ReadingReport } from "../fleet/report.ts";
import { Completeness } from "./restoring/completeness.ts";
import type { Connection, Parts } from "../connection.ts";
import type { DeliveredCommit, OnPresence } from "../wake/source.ts";
import { Delivery } from "./delivery.ts";
import { Handover } from "../fleet/turns/handover.ts";
import { parseDuration } from "../base/duration.ts";
import { ClosedError, messageOf, StateError } from "../errors.ts";
import { shownUrl } from "../feed_url.ts";
import { isRemovalBody } from "../log/codec.ts";
import type { ObjectName } from "../log/names.ts";
import type { RunningPlugin } from "../plugin.ts";
import { closePlugins, setUpPlugins } from "../plugins/lifecycle.ts";
import { Intake } from "./intake.ts";
import { PollLoop } from "./poll_loop.ts";
import type { PollRange } from "./poll_pace.ts";
import { Poller } from "./poller.ts";
import { ReadingBudget } from "./reading_budget.ts";
import { RestoreAgain, type RestoreRequest } from "./restoring/restore_again.ts";
import { Restoration } from "./restoring/restoration.ts";
import type { RestoreContext } from "./restoring/restorer.ts";
import type { StoredCommit } from "../publishing/commit.ts";
import type { Uploader } from "../publishing/uploader.ts";
import { FileLock } from "../state/lock.ts";
import type { PollReport, RestoreReport, Watcher, WatchOptions } from "./watcher.ts";

const logger = getLogger(["feedsync", "watch"]);

/** The one implementation of {@linkcode Watcher}. */
export class BucketWatcher implements Watcher {
  readonly #ready = Promise.withResolvers<void>();
  readonly #complete = Promise.withResolvers<void>();
  readonly #finished: Promise<void>;
  /** Whether the caller observes the end; otherwise a failure is logged. */
  #observed = false;
  readonly #connection: Connection;
  readonly #options: WatchOptions;
  readonly #outagePatienceMs: number;
  readonly #stopping = new AbortController();
  #delivery: Delivery | undefined;
  #poller: Poller | undefined;
  #context: RestoreContext | undefined;
  #restoration: Restoration | undefined;
  #completeness: Completeness | undefined;
  #loop: PollLoop | undefined;
  #keeper: FleetKeeper | undefined;
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
    if (!parts) this.#complete.resolve();
    this.#finished.then(() => this.#complete.reject(closedError()), this.#complete.reject);
    this.#complete.promise.catch(() => {});
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

  get complete(): Promise<void> {
    this.#observed = true;
    return this.#complete.promise;
  }

  poll(): Promise<PollReport> {
    return this.#whileOpen(() => this.#pollNow());
  }

  report(): ReadingReport | undefined {
    const delivery = this.#delivery, poller = this.#poller;
    if (!delivery || !poller) return undefined;
    const { gaps, receivers: { outages } } = delivery, { unreadSince, held } = poller;
    return { gaps, unreadSince, held, problem: this.#loop?.problem ?? outages[0] };
  }

  /** Delivers the newest updates again, to the plugins of this watcher. */
  restore(request: RestoreRequest): Promise<RestoreReport> {
    return this.#whileOpen(async () => {
      if (!this.#context) return { restored: 0, failed: 0, unknown: [], unreadable: [] };
      const signals = [this.#stopping.signal, ...request.signal ? [request.signal] : []];
      const { onProgress } = request;
      const context = { ...this.#context, signal: AbortSignal.any(signals), onProgress };
      return await new RestoreAgain(context, request).run();
    });
  }

  /** Runs `work` once the plugins are set up; rejects when the watcher ends before or meanwhile. */
  async #whileOpen<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#stopping;
    if (signal.aborted) await this.finished; // Rejects if an error ended the watcher.
    if (signal.aborted) throw closedError({ cause: signal.reason });
    try {
      await this.ready;
      signal.throwIfAborted();
      return await work();
    } catch (error) {
      if (!signal.aborted) throw error;
      await this.finished;
      throw signal.reason;
    }
  }

  async #pollNow(): Promise<PollReport> {
    const delivery = this.#delivery, poller = this.#poller!, restoration = this.#restoration!;
    if (!delivery) return { applied: 0, restored: 0, failed: 0, gaps: 0, unreadable: [] };
    const { receivers } = delivery, { gaps } = delivery, before = receivers.counts;
    poller.retryAll();
    await this.#loop!.poll();
    // In parallel; then again if reading has found gaps.
    await allEnded([poller.idle(), restoration.run()]);
    await restoration.runForNews();
    await receivers.redelivery.run(this.#stopping.signal);
    const { applied, restored, failed } = receivers.counts;
    await this.#completeness!.check();
    return {
      applied: applied - before.applied,
      restored: restored - before.restored,
      failed: failed - before.failed,
      gaps: delivery.gaps - gaps,
      unreadable: [...poller.unreadable, ...restoration.isDue ? restoration.unreadable : []],
    };
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#finished.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(parts: Parts, plugins: () => Promise<readonly RunningPlugin[]>): Promise<void> {
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
      await this.#restoration?.idle();
      await this.#redelivering;
      await this.#keeper?.[Symbol.asyncDispose]();
      await closePlugins(running, { clock: environment.clock, timeoutMs: config.stopTimeout });
    }
  }

  #begin(parts: Parts, plugins: readonly RunningPlugin[], forced: AbortSignal): void {
    const { config } = this.#connection;
    const { state, log, environment, uploader, feedLocks } = parts;
    const { callbackTimeout, includeOwn } = config;
    state.noteWatchedPlugins(plugins.map(({ name }) => name));
    const intake = new Intake(parts);
    const delivery = new Delivery({
      state,
      log,
      environment,
      intake,
      feedLocks,
      plugins,
      callbackTimeout,
      forced,
      onDeadLetter: this.#options.onDeadLetter,
      outagePatienceMs: this.#outagePatienceMs,
    });
    this.#delivery = delivery;
    const { redelivery } = delivery.receivers, { signal } = this.#stopping;
    if (!this.#options.manual) this.#redelivering = redelivery.keepTrying(signal);
    this.#beginReading(parts, { delivery, intake });
    this.#warnAfterAbsence(parts);
    if (!includeOwn) this.#logOwn(uploader);
  }

  #beginReading(
    parts: Parts,
    { delivery, intake }: { readonly delivery: Delivery; readonly intake: Intake },
  ): void {
    const { config } = this.#connection, { signal } = this.#stopping;
    const { state, log, environment } = parts, { receivers } = delivery;
    const budget = new ReadingBudget();
    const poller = this.#poller = new Poller(parts, {
      config,
      delivery,
      intake,
      budget,
      signal,
    });
    const { onProgress } = this.#options;
    const context = { state, log, environment, receivers, budget, config, signal, onProgress };
    this.#context = context;
    const restoration = this.#restoration = new Restoration({
      ...context,
      gaps: () => delivery.gaps,
    });
    const completeness = new Completeness(poller, restoration, this.#complete.resolve);
    this.#completeness = completeness;
    const keeper = this.#keeper = this.#keep(parts);
    this.#complete.promise.then(() => keeper?.renew()).catch(() => {});
    const onPolled = () => {
      keeper?.start();
      restoration.startIfDue();
      completeness.check().catch(() => {}); // The next poll reports a failing state.
    };
    const { autoPeers } = parts;
    const onPresence: OnPresence | undefined = autoPeers &&
      ((...args) => autoPeers.greeted(...args));
    this.#loop = new PollLoop(parts, { config, poller, signal, onPolled, onPresence });
  }

  /** What keeps the presence of this server, if it has one. */
  #keep(parts: Parts): FleetKeeper | undefined {
    const { presence, server } = this.#connection.config;
    if (presence === false || this.#options.manual) return undefined;
    const { member, autoPeers } = parts, handover = new Handover(parts, { server });
    const work: FleetWork = {
      needsListings: autoPeers !== undefined,
      onListing: async (listing, options) => {
        await autoPeers?.update(member.presentIn(listing), options);
      },
      onTurn: ({ isLast, signal }) => handover.writeIfDue({ force: isLast, signal }),
    };
    return new FleetKeeper(parts, { member, work });
  }

  /** Logs updates that are published but not applied here, until the watcher stops. */
  #logOwn({ onCommit }: Uploader): void {
    let hint = " (others apply it; to see that here, watch as another --server)";
    const log = ({ rows }: StoredCommit) => {
      for (const { url, body } of rows) {
        const what = isRemovalBody(body) ? "removal of " : "";
        const properties = { what, url: shownUrl(url), hint };
        logger.info("{what}{url} published, not applied here{hint}", properties);
        hint = "";
      }
    };
    onCommit.push(log);
    const stopLogging = () => void onCommit.splice(onCommit.indexOf(log), 1);
    this.#stopping.signal.addEventListener("abort", stopLogging, { once: true });
  }

  changePace(range: PollRange): void {
    this.#loop?.changePace(range);
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
      "This server was away for {hours} hours, longer than updates are kept: the newest update of " +
        "each feed is restored, and the lost updates in between are reported as gaps",
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
    await this.#restoration!.idle();
    await this.#redelivering;
  }
}

/** Waits for all tasks; rejects with the error of the first one that failed. */
async function allEnded(tasks: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(tasks)) {
    if (result.status === "rejected") throw result.reason;
  }
}

function patienceOf({ manual, outagePatience }: WatchOptions, callbackTimeout: number): number {
  const patience = outagePatience ?? (manual && callbackTimeout);
  return patience === undefined || patience === false ? Infinity : parseDuration(patience);
}

function closedError(options?: ErrorOptions): ClosedError {
  return new ClosedError("Cannot use this watcher: it is closed", options);
}
