/**
 * Delivers updates to the plugins, and moves the cursor behind them.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import { getLogger } from "@logtape/logtape";
import type { StoredUpdate } from "../log/codec.ts";
import { TimeClamp } from "./clamp_time.ts";
import type { Environment } from "../base/environment.ts";
import { messageOf } from "../errors.ts";
import { feedIdentity, shownUrl } from "../feed_url.ts";
import { tellFailure } from "../plugins/failure.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import { serverOf } from "../log/names.ts";
import { type RunningPlugin, runningPlugin } from "../plugin.ts";
import { type GivenUp, PluginCaller } from "./plugin_caller.ts";
import { firstRetryAt, Redelivery } from "./redelivery.ts";
import type { LockedStream } from "../state/cursors.ts";
import type { DeadLetter } from "../state/dead_letters.ts";
import type { State } from "../state/state.ts";
import { type Gap, hashOf, type Update, updateToJson } from "../update.ts";
import type { KeyedLock } from "../base/keyed_lock.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Maximum time between two writes of the cursor; it is also written at the end of each object. */
const CURSOR_INTERVAL_MS = 100;

/** Maximum number of gaps logged: anyone who can write to the bucket can fake any number. */
const MAX_LOGGED_GAPS = 100;

const GAP =
  "Updates {first} to {last} of {stream} are lost: no readable object in the bucket holds them; " +
  "if they have expired, this server was away for longer than 'retention'";

const LOCKED_GAP =
  "Updates {first} to {last} of {stream} are lost: they are gone from the bucket, " +
  "and this server could not read them before: {reason}";

/** Dependencies of delivery. */
export interface DeliveryOptions extends Core {
  /** Locks of the feeds that plugins are working on: streams are applied in parallel. */
  readonly feedLocks: KeyedLock;
  /** The plugins that receive the updates. */
  readonly plugins: readonly RunningPlugin[];
  /** Maximum duration of one call, in milliseconds. */
  readonly callbackTimeout: number;
  /** Aborts running calls when a graceful stop takes too long. */
  readonly forced: AbortSignal;
  /** See {@linkcode CallOptions}. */
  readonly outagePatienceMs?: number | undefined;
  /** Called for each dead letter, once it is stored. */
  readonly onDeadLetter?: ((failed: FailedUpdate) => void | Promise<void>) | undefined;
}

/** An update that a plugin could not apply: it is stored as a dead letter. */
export interface FailedUpdate {
  /** Name of the plugin; `callback` for a callback. */
  readonly plugin: string;
  /** The update. */
  readonly update: Update;
  /** The last error that the plugin threw. */
  readonly error: unknown;
}

/** A failed update, and whether the update is the cause. */
type FailedCall = FailedUpdate & GivenUp;

/**
 * The updates of an object that were superseded when it arrived. Valid only for a short time, since
 * other processes may publish, and only until this process notes a newer update.
 */
interface Superseded {
  readonly ids: ReadonlySet<string>;
  readonly revision: number;
  readonly until: number;
}

/** Applies updates: in order per stream, one at a time per URL. */
export class Delivery {
  readonly #state: State;
  readonly #log: BucketLog;
  readonly #clamp: TimeClamp;
  readonly #environment: Environment;
  readonly #callers: readonly PluginCaller[];
  readonly #options: DeliveryOptions;
  readonly #feedLocks: KeyedLock;
  /** Retries dead letters. */
  readonly redelivery: Redelivery;
  #applied = 0;
  #failed = 0;
  #gaps = 0;

  /** Creates it, without delivering anything yet. */
  constructor(options: DeliveryOptions) {
    const { plugins, state, log, environment, feedLocks, callbackTimeout: timeoutMs, forced } =
      options;
    this.#options = options;
    this.#state = state;
    this.#log = log;
    this.#clamp = new TimeClamp(state, environment.clock);
    this.#environment = environment;
    this.#feedLocks = feedLocks;
    const onWorking = (plugin: string) => this.redelivery.hurry(plugin);
    const { outagePatienceMs } = options;
    const callOptions = { environment, timeoutMs, forced, onWorking, outagePatienceMs };
    this.#callers = plugins.map((plugin) => new PluginCaller(plugin, callOptions));
    this.redelivery = new Redelivery({ state, environment, feedLocks, callers: this.#callers });
  }

  /** Numbers of updates applied, updates that a plugin could not apply, and gaps reported. */
  get counts(): { applied: number; failed: number; gaps: number } {
    return { applied: this.#applied, failed: this.#failed, gaps: this.#gaps };
  }

  /**
   * Applies updates that follow the cursor of their stream. Stops between two of them, with the
   * cursor stored, when `signal` is aborted.
   */
  async apply(
    stream: string,
    stored: readonly StoredUpdate[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#environment;
    const now = this.#log.now();
    const updates = stored.map((update) => this.#clamp.clamp(stream, update, now));
    const superseded = this.#noteNewest(updates, now);
    const republished = this.#state.ownStream.republishedIn(stream);
    let storedAt = clock.elapsed(), from = (updates[0]?.seq ?? 1) - 1, to = from;
    const store = (letters: readonly DeadLetter[] = []) => {
      if (to > from) this.#moveCursor(stream, { from, to }, letters);
      [storedAt, from] = [clock.elapsed(), to];
    };
    try {
      for (const update of updates) {
        signal.throwIfAborted();
        const failures = republished.has(update.id)
          ? []
          : await this.#deliver(stream, update, { superseded, signal });
        to = update.seq;
        // Dead letters are stored at once: they are retried as soon as another update is applied.
        const isDue = failures.length > 0 || clock.elapsed() - storedAt >= CURSOR_INTERVAL_MS;
        if (isDue) store(failures.map((failed) => this.#letter(failed)));
        for (const failed of failures) await this.#reportDeadLetter(failed);
      }
    } finally {
      store();
    }
  }

  /** Reports lost updates; `locked` says why they could not be read while they existed. */
  async gap(
    gap: Gap,
    { signal, locked }: { signal: AbortSignal; locked: LockedStream | undefined },
  ): Promise<void> {
    if (++this.#gaps <= MAX_LOGGED_GAPS) {
      logger.error(locked ? LOCKED_GAP : GAP, { ...gap, reason: locked?.reason });
    } else if (this.#gaps === MAX_LOGGED_GAPS + 1) {
      logger.error("More than {most} gaps: further gaps go to plugins and are no longer logged", {
        most: MAX_LOGGED_GAPS,
      });
    }
    for (const caller of this.#callers) await caller.gap(gap, signal);
  }

  /** Moves the cursor behind a gap that was reported. */
  pass({ stream, first, last }: Gap): void {
    this.#moveCursor(stream, { from: first - 1, to: last }, []);
  }

  /**
   * Notes the updates as newest before the first plugin runs, so that nobody publishes them again.
   */
  #noteNewest(updates: readonly StoredUpdate[], now: number): Superseded {
    const { newest } = this.#state;
    const ids = new Set<string>();
    // Outside the transaction: hashing large contents takes long, and others wait for the state.
    const hashes = updates.map(hashOf);
    this.#state.transaction(() => {
      for (const [index, { url, time, id }] of updates.entries()) {
        newest.note(url, { time: Date.parse(time), id, hash: hashes[index] }, now);
      }
      for (const { url, time, id } of updates) {
        if (newest.supersedes(url, Date.parse(time), id)) ids.add(id);
      }
    }, { durable: false });
    const until = this.#environment.clock.elapsed() + CURSOR_INTERVAL_MS;
    return { ids, revision: newest.revision(), until };
  }

  async #deliver(
    stream: string,
    stored: StoredUpdate,
    { superseded, signal }: { superseded: Superseded; signal: AbortSignal },
  ): Promise<FailedCall[]> {
    const feed = feedIdentity(stored.url);
    while (this.#feedLocks.isHeld(feed)) await this.#feedLocks.released(feed, signal);
    signal.throwIfAborted();
    using _lock = this.#feedLocks.take(feed);
    const failures: FailedCall[] = [];
    let ended: { reason: unknown } | undefined;
    // Waits for all callers, even if one rejects while another still runs.
    await Promise.all(this.#callers.map(async (caller) => {
      const now = this.#environment.clock.now();
      const heldSince = () => this.#state.heldSince(caller.name, stored.id) ?? now;
      try {
        const givenUp = await caller.update(
          (again) => this.#current(stream, stored, again ? undefined : superseded),
          signal,
          () => now - heldSince(),
        );
        if (!givenUp) return;
        failures.push({ plugin: caller.name, update: this.#current(stream, stored), ...givenUp });
      } catch (reason) {
        // The next poll must know, even in another process: no update may hold up reading for ever.
        if (!signal.aborted) this.#state.noteHeld(caller.name, stored.id, heldSince());
        ended ??= { reason };
      }
    }));
    if (ended) throw ended.reason;
    if (failures.length === 0) this.#applied++;
    else this.#failed++;
    return failures;
  }

  /** The update as it is delivered now: each retry checks again whether it is superseded. */
  #current(stream: string, stored: StoredUpdate, known?: Superseded): Update {
    const { url, time, id } = stored;
    const { newest } = this.#state;
    const holds = known && known.revision === newest.revision() &&
      this.#environment.clock.elapsed() < known.until;
    const superseded = holds ? known.ids.has(id) : newest.supersedes(url, Date.parse(time), id);
    return { ...stored, stream, server: serverOf(stream), superseded };
  }

  /** Calls `onDeadLetter` with the timeout of a plugin call, since it may hang as well. */
  async #reportDeadLetter({ plugin, update, error }: FailedCall): Promise<void> {
    const { onDeadLetter, environment, callbackTimeout, forced } = this.#options;
    if (!onDeadLetter) return;
    const onUpdate = () => onDeadLetter({ plugin, update, error });
    const listener = runningPlugin("onDeadLetter", { onUpdate });
    try {
      await new PluginCaller(listener, { environment, timeoutMs: callbackTimeout, forced })
        .once(update);
    } catch (error) {
      logger.error("onDeadLetter failed: {message}", { message: messageOf(error) });
    }
  }

  #letter({ plugin, update, error, isFinal }: FailedCall): DeadLetter {
    const { stream, seq, url } = update;
    const message = tellFailure(error, url);
    const properties = { plugin, url: shownUrl(url), stream, seq, message };
    const text = "{plugin} cannot apply {url} ({stream}/{seq}), kept as a dead letter";
    if (isFinal) logger.error(`${text}: {message}`, properties);
    else logger.warn(`${text} and retried automatically: {message}`, properties);
    const time = Math.round(this.#environment.clock.now());
    const content = JSON.stringify(updateToJson(update));
    const retryAt = isFinal ? null : firstRetryAt(time);
    return { plugin, stream, seq, content, error: message, time, retryAt };
  }

  /**
   * Moves the cursor without syncing: after a crash of the machine the last updates are delivered
   * again.
   */
  #moveCursor(
    stream: string,
    move: { from: number; to: number },
    letters: readonly DeadLetter[],
  ): void {
    this.#state.transaction(() => {
      for (const letter of letters) this.#state.deadLetters.add(letter);
      this.#state.cursors.advance(stream, move);
    }, { durable: false });
  }
}
