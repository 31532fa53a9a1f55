/**
 * Implements {@linkcode FeedSync}: the state, store and uploader of one server.
 *
 * @module
 */
import type { Core } from "./state/core.ts";
import { getLogger } from "@logtape/logtape";
import type { ResolvedConfig } from "./config/resolve.ts";
import type { ResolvedWake } from "./config/wake.ts";
import { BucketLog } from "./log/bucket_log.ts";
import type { Envelope } from "./log/encryption/envelope.ts";
import { type Environment, systemEnvironment } from "./base/environment.ts";
import { ClosedError, messageOf, type UnreadableError, UpdatesLostError } from "./errors.ts";
import { FileNotifier } from "./base/file_notifier.ts";
import { FileLock } from "./state/lock.ts";
import { warnOfSiblings } from "./state/siblings.ts";
import type { Owner } from "./state/owner.ts";
import { State } from "./state/state.ts";
import type { ObjectStore, RequestCounts } from "./stores/store.ts";
import { signedAddress } from "./fleet/advertise.ts";
import { AutoPeers } from "./fleet/auto_peers.ts";
import { FleetMember } from "./fleet/member.ts";
import { type ReadingReport, reportOf } from "./fleet/report.ts";
import { turnsReport } from "./fleet/turns/report.ts";
import { SoloTurns } from "./fleet/turns/solo.ts";
import type { TurnEngine } from "./fleet/turns/turn_engine.ts";
import type { PresenceName } from "./log/fleet/names.ts";
import type { PresenceReport } from "./log/fleet/presence.ts";
import { Acceptor } from "./publishing/accept.ts";
import { Uploader } from "./publishing/uploader.ts";
import { withDeadline } from "./base/deadline.ts";
import { KeyedLock } from "./base/keyed_lock.ts";
import { MarkerWriter } from "./wake/marker.ts";
import { Peers, type WakeUpCounts } from "./wake/send/peers.ts";

const logger = getLogger(["feedsync", "state"]);

/** A connection to a store, from {@linkcode connect}. Close it, or bind it with `await using`. */
export interface FeedSync extends AsyncDisposable {
  /** False when the configuration disables feedsync: then publishing and watching do nothing. */
  readonly enabled: boolean;
  /** Name of this server. */
  readonly server: string;
  /** URL of the store, such as `s3://bucket/prefix`. */
  readonly store: string;
  /** The stream of published updates, `<server>_<8 characters>`; empty when not enabled. */
  readonly stream: string;
  /** Requests sent to the store so far. */
  readonly requests: Readonly<RequestCounts>;
  /** Commits sent to peers so far, and those dropped because a peer was slow or unreachable. */
  readonly wakeUps: Readonly<WakeUpCounts>;
  /**
   * Closes the watchers of this connection, uploads queued updates if the store answers within
   * `stopTimeout`, and ends. Remaining updates stay in the state file, for the next connection with
   * it. Without a state file they are lost, and the error reports that; `await using` throws it
   * only if the error of {@linkcode publish} has not reported the loss already, since it would then
   * hide that error in a `SuppressedError`. Calls in progress reject with a
   * {@linkcode ClosedError}, as do all later calls.
   *
   * @throws {UpdatesLostError} when updates are lost; only for the first call.
   */
  close(): Promise<void>;
}

/** An object that is closed with its connection. */
export interface Closable {
  /** Closes the object; never rejects. */
  close(): Promise<void>;
}

/** A running watcher. */
export interface Watching extends Closable {
  /** Polls now; resolves when all updates in the bucket at that time are applied. */
  poll(): Promise<unknown>;
  /** What it knows that is not in the state. */
  report(): ReadingReport | undefined;
  /** From now on polls with these delays. */
  changePace(range: ResolvedConfig["poll"]): void;
}

/** Reads the log beside a connection, for lookups. */
export interface LogReading extends Closable {
  /** Notes the newest updates of the log. */
  readonly state: State;
  /** Reads everything that is in the log by now; resolves to the errors of unreadable objects. */
  poll(signal: AbortSignal): Promise<readonly UnreadableError[]>;
}

/** The working parts of an enabled connection. */
export interface Parts extends Core {
  /** Accepts updates into the outbox. */
  readonly acceptor: Acceptor;
  /** Uploads the outbox to the bucket. */
  readonly uploader: Uploader;
  /** Locks of the feeds that plugins are working on. */
  readonly feedLocks: KeyedLock;
  /** This server's part in the fleet. */
  readonly member: FleetMember;
  /** Finds the peers, if they are not configured. */
  readonly autoPeers: AutoPeers | undefined;
}

/** Time limit for sending the remaining wake-ups when the connection is closed. */
const LAST_WAKE_UPS_MS = 1000;

const NO_REQUESTS: RequestCounts = { put: 0, get: 0, list: 0, delete: 0 };

/** Dependencies of a connection besides configuration and store. */
export interface ConnectionOptions {
  /** Time and randomness. @default the machine's */
  readonly environment?: Environment;
  /** The state. @default the one in the configuration */
  readonly state?: State;
  /** Encrypts objects. @default no encryption */
  readonly envelope?: Envelope;
}

/** What a connection may take over while it is used; what is undefined stays as it is. */
export interface Reconfiguration {
  /** Delays between polls. */
  readonly poll?: ResolvedConfig["poll"] | undefined;
  /** Delay between presences, in milliseconds. */
  readonly presence?: number | undefined;
  /** Other peers than those that are configured. */
  readonly peers?: readonly string[] | undefined;
}

/** The one implementation of {@linkcode FeedSync}; not exported from the package. */
export class Connection implements FeedSync {
  /** The working parts; absent when not enabled. */
  readonly parts: Parts | undefined;
  /** Turns when not enabled. */
  readonly soloTurns: SoloTurns;
  #config: ResolvedConfig;
  readonly #store: ObjectStore | undefined;
  readonly #options: ConnectionOptions;
  readonly #peers: Peers | undefined;
  readonly #marker: MarkerWriter | undefined;
  readonly #opened = new Set<Closable>();
  #watcher: Watching | undefined;
  #logReader: LogReading | undefined;
  #turns: Promise<TurnEngine> | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closed = new AbortController();
  /** When it was made, by the monotonic clock. */
  readonly #begunAt: number;
  #lastStream = "";
  #leftQueued = 0;
  #isLossReported = false;
  #closing: Promise<void> | undefined;

  /** Opens the state. Closes `store` at the end; without a store, nothing is enabled. */
  constructor(
    config: ResolvedConfig,
    store: ObjectStore | undefined,
    options: ConnectionOptions = {},
  ) {
    this.#config = config;
    this.#store = store;
    this.#options = options;
    const { environment = systemEnvironment, envelope } = options;
    this.#begunAt = environment.clock.elapsed();
    this.soloTurns = new SoloTurns(environment.clock, config.urlSchemes);
    if (!store) return;
    const { server, commitInterval, includeOwn } = config;
    const { marker, peers, secret, advertise } = config.wake;
    const state = options.state ??
      new State(config.state, ownerOf(config, store), environment.random);
    if (store.expectObjects && state.knowsObjects()) store.expectObjects();
    const isShared = state.path !== ":memory:";
    if (isShared && state.isNew) warnOfSiblings(state.path, server);
    const log = new BucketLog(store, { environment, envelope, memory: state });
    const lockPath = isShared ? `${state.path}.upload.lock` : undefined;
    const uploader = new Uploader({
      state,
      log,
      environment,
      lock: new FileLock(lockPath),
      notifier: new FileNotifier(lockPath),
      commitIntervalMs: commitInterval,
      includeOwn,
      isShared,
    });
    const core = { state, log, environment };
    const acceptor = new Acceptor(core);
    const member = new FleetMember(core, {
      intervalMs: config.presence,
      weight: config.turns.weight,
      report: (name) => this.#report(name),
    });
    const feedLocks = new KeyedLock();
    this.#peers = peersOf(config.wake, { log, environment });
    const autoPeers = peers === "auto" && this.#peers
      ? new AutoPeers(core, { peers: this.#peers, secret: secret!, advertise, member })
      : undefined;
    this.parts = { ...core, acceptor, uploader, feedLocks, member, autoPeers };
    if (marker) this.#marker = new MarkerWriter({ log, environment });
    uploader.onCommit.push(({ name: { key }, body }) => {
      this.#marker?.change();
      this.#peers?.send({ key, body });
    });
  }

  /** A connection with another state. Do not close it, since it does not own the store. */
  beside(changes: Partial<ResolvedConfig>, state: State): Connection {
    return new Connection({ ...this.config, ...changes }, this.#store, { ...this.#options, state });
  }

  /** The configuration. */
  get config(): ResolvedConfig {
    return this.#config;
  }

  /** Takes over what has changed in the configuration. */
  reconfigure({ poll, presence, peers }: Reconfiguration): void {
    const { wake } = this.#config;
    if (poll) {
      this.#config = { ...this.#config, poll };
      this.#watcher?.changePace(poll);
    }
    if (presence) {
      this.#config = { ...this.#config, presence };
      this.parts?.member.changeInterval(presence);
    }
    if (peers) {
      this.#config = { ...this.#config, wake: { ...wake, peers } };
      this.#peers?.replace(peers);
    }
  }

  get enabled(): boolean {
    return this.parts !== undefined;
  }

  get server(): string {
    return this.config.server;
  }

  get store(): string {
    return this.parts?.log.url ?? this.config.store;
  }

  get stream(): string {
    if (!this.parts || this.#lastStream) return this.#lastStream;
    return this.parts.state.ownStream.load().stream;
  }

  /** Number of updates that were accepted, and not uploaded when the connection was closed. */
  get leftQueued(): number {
    return this.#leftQueued;
  }

  /** Whether the connection must not be used any more. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Aborted with a {@linkcode ClosedError} when the connection is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Closes `opened` with the connection, unless the returned function is called before. */
  closeWithMe(opened: Closable): () => void {
    this.#opened.add(opened);
    return () => void this.#opened.delete(opened);
  }

  /**
   * {@linkcode Connection.closeWithMe} for a watcher. A second watcher would miss the updates that
   * the first one applies, since both would move the same cursors.
   *
   * @throws {TypeError} when another watcher is running.
   */
  startWatching(watcher: Watching): () => void {
    if (this.#watcher) {
      throw new TypeError(
        "Cannot watch twice with one connection: close the other watcher first, and await that, " +
          "or give all plugins to one watcher",
      );
    }
    this.#watcher = watcher;
    const forget = this.closeWithMe(watcher);
    return () => {
      this.#watcher = undefined;
      forget();
    };
  }

  /** The running watcher of this connection, if there is one. */
  get watcher(): Watching | undefined {
    return this.#watcher;
  }

  /** The reader for lookups, made at the first one: later lookups read only what is new. */
  logReader(make: () => LogReading): LogReading {
    return this.#logReader ??= make();
  }

  /** Takes turns for this connection. Loaded at the first call: telling domains apart takes a list. */
  turns(parts: Parts): Promise<TurnEngine> {
    return this.#turns ??= this.#beginTurns(parts);
  }

  async #beginTurns(parts: Parts): Promise<TurnEngine> {
    const { TurnEngine } = await import("./fleet/turns/turn_engine.ts");
    const { server, urlSchemes, turns, stopTimeout } = this.config;
    const { member, environment: { clock } } = parts;
    const engine = new TurnEngine(parts, {
      ...{ server, member, turns, schemes: urlSchemes },
      keepOpen: (work) => this.keepOpen(work),
    });
    this.closeWithMe({
      close: () =>
        withDeadline((signal) => engine.close({ signal }), { clock, timeoutMs: stopTimeout })
          .catch((error) => logger.debug("{message}", { message: messageOf(error) })),
    });
    return engine;
  }

  /**
   * Runs `work`, and keeps the parts open until it has ended. Its signal is aborted by `signal`, and
   * when the connection is closed, with a {@linkcode ClosedError}, with which this then rejects.
   */
  async run<T>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { closed } = this;
    try {
      return await this.keepOpen(work(signal ? AbortSignal.any([signal, closed]) : closed));
    } catch (error) {
      closed.throwIfAborted();
      throw error;
    }
  }

  /** Keeps the parts open until `work` has ended. */
  async keepOpen<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  get requests(): Readonly<RequestCounts> {
    return this.parts?.log.requests ?? NO_REQUESTS;
  }

  get wakeUps(): Readonly<WakeUpCounts> {
    return this.#peers?.counts ?? { sent: 0, dropped: 0 };
  }

  async close(): Promise<void> {
    // The first caller gets the error about lost updates, the others only wait.
    if (this.#closing) return await this.#closing.catch(() => {});
    await (this.#closing = this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close();
    } catch (error) {
      if (!(error instanceof UpdatesLostError && this.#isLossReported)) throw error;
      logger.error("{message}", { message: error.message });
    }
  }

  async #close(): Promise<void> {
    await Promise.resolve(); // Updates given to publish() before are accepted now.
    this.#closed.abort(closedError());
    await Promise.all([...this.#opened].map((opened) => opened.close()));
    if (this.parts) await this.#closeParts(this.parts);
  }

  async #closeParts(parts: Parts): Promise<void> {
    const { state, uploader } = parts;
    try {
      await uploader.close({ timeoutMs: this.config.stopTimeout });
      await Promise.all([
        this.#peers?.close(LAST_WAKE_UPS_MS),
        this.#marker?.close(this.config.stopTimeout),
        ...[...this.#underWay].map((work) => work.catch(() => {})),
      ]);
      this.#lastStream = state.ownStream.load().stream;
      this.#leftQueued = state.queued();
      if (state.isInMemory) this.#assertNoLoss(parts);
    } finally {
      await this.#store?.[Symbol.asyncDispose]();
      state[Symbol.dispose]();
    }
  }

  /** What this server says about itself in its presence. */
  async #report(name: PresenceName): Promise<PresenceReport> {
    const parts = this.parts!, { retention, poll, includeOwn, wake } = this.config;
    const { log, uploader, environment: { clock } } = parts;
    return await reportOf(parts, {
      startedAt: log.now() - (clock.elapsed() - this.#begunAt),
      retentionMs: retention,
      pollMs: poll.max,
      includeOwn,
      reading: this.#watcher?.report(),
      turns: turnsReport(parts),
      uploadError: uploader.lastError === undefined ? undefined : messageOf(uploader.lastError),
      advertise: signedAddress(name, { wake, log }),
    });
  }

  /** Throws when queued updates exist only in memory and are now lost. */
  #assertNoLoss({ state, uploader: { haveToldAll, lastError } }: Parts): void {
    const lost = state.queued();
    if (lost === 0) return;
    this.#isLossReported = haveToldAll;
    const updates = lost === 1 ? "1 update is lost that was" : `${lost} updates are lost that were`;
    const reason = lastError === undefined
      ? `the store has not answered for ${this.config.stopTimeout / 1000} s`
      : messageOf(lastError);
    throw new UpdatesLostError(
      `${updates} not uploaded when the connection was closed, and kept in memory only: ` +
        `${reason}. Set 'state' to a file to keep such updates`,
      { lost, cause: lastError },
    );
  }
}

function closedError(): ClosedError {
  return new ClosedError("Cannot use this connection: it is closed");
}

/** The peers to send commits to, if any; with `"auto"` there are none before they are found. */
function peersOf(
  { peers, secret }: ResolvedWake,
  parts: Pick<Core, "log" | "environment">,
): Peers | undefined {
  if (peers.length === 0) return undefined;
  return new Peers(peers === "auto" ? [] : peers, { ...parts, secret: secret! });
}

/** The required owner of the state. */
function ownerOf({ server, movedFrom }: ResolvedConfig, { url, service }: ObjectStore): Owner {
  return { server, store: url, service, movedFrom };
}

/** The connection of a `FeedSync`. */
export function connectionOf(sync: FeedSync): Connection {
  if (!(sync instanceof Connection)) {
    throw new TypeError("Cannot use this object as a connection: it must come from connect()");
  }
  if (sync.isClosed) throw closedError();
  return sync;
}
