/**
 * Handing updates to the plugins, and moving the cursor behind them.
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
import type { Place } from "../state/newest.ts";
import type { State } from "../state/state.ts";
import { type Gap, hashOf, type Update, updateToJson } from "../update.ts";
import type { KeyedLock } from "../base/keyed_lock.ts";

const logger = getLogger(["feedsync", "watch"]);

/** The cursor is stored at the end of each object, and at least so often, in milliseconds. */
const CURSOR_INTERVAL = 100;

/** No more gaps are logged, one by one: who can write to the bucket makes up any number. */
const MOST_GAPS_TOLD = 100;

const GAP =
  "Updates {first} to {last} of {stream} are lost: no object in the bucket holds them that can be " +
  "read; if they have expired, this server was away for longer than 'retention'";

const LOCKED_GAP =
  "Updates {first} to {last} of {stream} are lost: they are gone from the bucket, " +
  "and this server could not read them before: {reason}";

/** What delivery stands on. */
export interface DeliveryOptions extends Core {
  /** URLs that plugins are busy with: streams are applied side by side. */
  readonly feedLocks: KeyedLock;
  /** Who receives the updates. */
  readonly plugins: readonly RunningPlugin[];
  /** Most milliseconds for one call. */
  readonly callbackTimeout: number;
  /** Ends running calls when a graceful stop takes too long. */
  readonly forced: AbortSignal;
  /** See {@linkcode CallOptions}. */
  readonly outagePatienceMs?: number | undefined;
  /** Told of each dead letter, once it is kept. */
  readonly onDeadLetter?: ((failed: FailedUpdate) => void | Promise<void>) | undefined;
}

/** An update that a plugin could not apply: it is kept as a dead letter. */
export interface FailedUpdate {
  /** Name of the plugin; `callback` for a callback. */
  readonly plugin: string;
  /** The update. */
  readonly update: Update;
  /** What the plugin threw in the end. */
  readonly error: unknown;
}

/** A failed update, and whether it is the update's fault. */
type FailedCall = FailedUpdate & GivenUp;

/**
 * Which updates of an object were superseded when it arrived. Holds for a short time, since other
 * processes may publish, and as long as this one notes nothing.
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
  /** Tries dead letters again. */
  readonly redelivery: Redelivery;
  #applied = 0;
  #failed = 0;
  #gaps = 0;

  /** Nothing is delivered yet. */
  constructor(options: DeliveryOptions) {
    const { plugins, state, log, environment, feedLocks, callbackTimeout: timeout, forced } =
      options;
    this.#options = options;
    this.#state = state;
    this.#log = log;
    this.#clamp = new TimeClamp(state, environment.clock);
    this.#environment = environment;
    this.#feedLocks = feedLocks;
    const onWorking = (plugin: string) => this.redelivery.hurry(plugin);
    const { outagePatienceMs } = options;
    const callOptions = { environment, timeout, forced, onWorking, outagePatienceMs };
    this.#callers = plugins.map((plugin) => new PluginCaller(plugin, callOptions));
    this.redelivery = new Redelivery({ state, environment, feedLocks, callers: this.#callers });
  }

  /** How many updates were applied, how many a plugin could not apply, and how many gaps reported. */
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
    const places = stored.map((update, index) =>
      update === updates[index] ? { stream, seq: update.seq } : undefined
    );
    const superseded = this.#noteNewest(updates, places, now);
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
        // Dead letters at once: they are tried again as soon as another update is applied.
        const isDue = failures.length > 0 || clock.elapsed() - storedAt >= CURSOR_INTERVAL;
        if (isDue) store(failures.map((failed) => this.#letter(failed)));
        for (const failed of failures) await this.#tell(failed);
      }
    } finally {
      store();
    }
  }

  /** Reports updates that are lost; `locked` tells why they could not be read while they were there. */
  async gap(
    gap: Gap,
    { signal, locked }: { signal: AbortSignal; locked: LockedStream | undefined },
  ): Promise<void> {
    if (++this.#gaps <= MOST_GAPS_TOLD) {
      logger.error(locked ? LOCKED_GAP : GAP, { ...gap, reason: locked?.reason });
    } else if (this.#gaps === MOST_GAPS_TOLD + 1) {
      logger.error("There are more than {most} gaps, the next ones only plugins are told of", {
        most: MOST_GAPS_TOLD,
      });
    }
    for (const caller of this.#callers) await caller.gap(gap, signal);
  }

  /** Moves the cursor behind a gap that was reported. */
  pass({ stream, first, last }: Gap): void {
    this.#moveCursor(stream, { from: first - 1, to: last }, []);
  }

  /** Before the first plugin runs: so that nobody publishes again what just arrived. */
  #noteNewest(
    updates: readonly StoredUpdate[],
    places: readonly (Place | undefined)[],
    now: number,
  ): Superseded {
    const { newest } = this.#state;
    const ids = new Set<string>();
    // Not in the transaction: that takes long for large contents, and others wait for the state.
    const hashes = updates.map(hashOf);
    this.#state.transaction(() => {
      for (const [index, { url, time, id }] of updates.entries()) {
        const version = { time: Date.parse(time), id, hash: hashes[index] };
        newest.note(url, version, { place: places[index], now });
      }
      for (const { url, time, id } of updates) {
        if (newest.supersedes(url, Date.parse(time), id)) ids.add(id);
      }
    }, { durable: false });
    const until = this.#environment.clock.elapsed() + CURSOR_INTERVAL;
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
    // All are waited for: one may end the waiting while another still runs.
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
        // The next poll has to know, in another process perhaps: no update holds up reading for ever.
        if (!signal.aborted) this.#state.noteHeld(caller.name, stored.id, heldSince());
        ended ??= { reason };
      }
    }));
    if (ended) throw ended.reason;
    if (failures.length === 0) this.#applied++;
    else this.#failed++;
    return failures;
  }

  /** The update as it is delivered now: whether it is superseded is decided anew at each retry. */
  #current(stream: string, stored: StoredUpdate, known?: Superseded): Update {
    const { url, time, id } = stored;
    const { newest } = this.#state;
    const holds = known && known.revision === newest.revision() &&
      this.#environment.clock.elapsed() < known.until;
    const superseded = holds ? known.ids.has(id) : newest.supersedes(url, Date.parse(time), id);
    return { ...stored, stream, server: serverOf(stream), superseded };
  }

  /** As a call of a plugin: it, too, may hang. */
  async #tell({ plugin, update, error }: FailedCall): Promise<void> {
    const { onDeadLetter, environment, callbackTimeout, forced } = this.#options;
    if (!onDeadLetter) return;
    const onUpdate = () => onDeadLetter({ plugin, update, error });
    const listener = runningPlugin("onDeadLetter", { onUpdate });
    try {
      await new PluginCaller(listener, { environment, timeout: callbackTimeout, forced })
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
    else logger.warn(`${text}, which is tried again by itself: {message}`, properties);
    const time = Math.round(this.#environment.clock.now());
    const content = JSON.stringify(updateToJson(update));
    const retryAt = isFinal ? null : firstRetryAt(time);
    return { plugin, stream, seq, content, error: message, time, retryAt };
  }

  /** Not synced: a crash of the machine only delivers the last updates again. */
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
