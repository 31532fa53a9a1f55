/**
 * The plugins as receivers: handing one update to all of them, one update of a feed at a time.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Environment } from "../base/environment.ts";
import type { KeyedLock } from "../base/keyed_lock.ts";
import { messageOf } from "../errors.ts";
import { feedIdentity, shownUrl } from "../feed_url.ts";
import type { StoredUpdate } from "../log/codec.ts";
import { serverOf } from "../log/names.ts";
import { type RunningPlugin, runningPlugin } from "../plugin.ts";
import { tellFailure } from "../plugins/failure.ts";
import type { Core } from "../state/core.ts";
import type { DeadLetter } from "../state/dead_letters.ts";
import type { State } from "../state/state.ts";
import { type Gap, type Update, updateToJson } from "../update.ts";
import { type GivenUp, PluginCaller } from "./plugin_caller.ts";
import { firstRetryAt, Redelivery } from "./redelivery.ts";

const logger = getLogger(["feedsync", "watch"]);

/** What receiving stands on. */
export interface ReceiversOptions extends Pick<Core, "state" | "environment"> {
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
export type FailedCall = FailedUpdate & GivenUp;

/** An update on its way to the plugins. */
export interface Handover {
  /** The stream that it was published in. */
  readonly stream: string;
  /** The update. */
  readonly stored: StoredUpdate;
  /** Whether it is superseded, as of the first call. @default it is looked up, as at each retry */
  readonly isSuperseded?: (() => boolean | undefined) | undefined;
  /** It comes from what the bucket keeps for good. */
  readonly isRestored?: boolean | undefined;
  /** Only the plugin of this name receives it. @default all do */
  readonly only?: string | undefined;
}

/** Hands updates to the plugins. */
export class Receivers {
  readonly #state: State;
  readonly #environment: Environment;
  readonly #callers: readonly PluginCaller[];
  readonly #options: ReceiversOptions;
  readonly #feedLocks: KeyedLock;
  /** Tries dead letters again. */
  readonly redelivery: Redelivery;
  #applied = 0;
  #restored = 0;
  #failed = 0;

  /** Nothing is handed over yet. */
  constructor(options: ReceiversOptions) {
    const { plugins, state, environment, feedLocks, callbackTimeout: timeoutMs, forced } = options;
    this.#options = options;
    this.#state = state;
    this.#environment = environment;
    this.#feedLocks = feedLocks;
    const onWorking = (plugin: string) => this.redelivery.hurry(plugin);
    const { outagePatienceMs } = options;
    const callOptions = { environment, timeoutMs, forced, onWorking, outagePatienceMs };
    this.#callers = plugins.map((plugin) => new PluginCaller(plugin, callOptions));
    this.redelivery = new Redelivery({ state, environment, feedLocks, callers: this.#callers });
  }

  /** How many updates all plugins applied, how many of those were restored, and how many failed. */
  get counts(): { applied: number; restored: number; failed: number } {
    return { applied: this.#applied, restored: this.#restored, failed: this.#failed };
  }

  /** Names of the plugins. */
  get names(): readonly string[] {
    return this.#callers.map(({ name }) => name);
  }

  /** Waits until no plugin is busy with the feed, and keeps others away until it is disposed of. */
  async lock(url: string, signal: AbortSignal): Promise<Disposable> {
    const feed = feedIdentity(url);
    while (this.#feedLocks.isHeld(feed)) await this.#feedLocks.released(feed, signal);
    signal.throwIfAborted();
    return this.#feedLocks.take(feed);
  }

  /** Hands over an update, whose feed is locked; resolves to the calls that failed. */
  async handOver(handover: Handover, signal: AbortSignal): Promise<FailedCall[]> {
    const { stored, isSuperseded, isRestored, only } = handover;
    const failures: FailedCall[] = [];
    let ended: { reason: unknown } | undefined;
    const callers = this.#callers.filter(({ name }) => only === undefined || name === only);
    // All are waited for: one may end the waiting while another still runs.
    await Promise.all(callers.map(async (caller) => {
      const now = this.#environment.clock.now();
      const heldSince = () => this.#state.heldSince(caller.name, stored.id) ?? now;
      try {
        const givenUp = await caller.update(
          (again) => this.#current(handover, again ? undefined : isSuperseded?.()),
          signal,
          () => now - heldSince(),
        );
        if (!givenUp) return;
        failures.push({ plugin: caller.name, update: this.#current(handover), ...givenUp });
      } catch (reason) {
        // The next poll has to know, in another process perhaps: no update holds up reading for ever.
        if (!signal.aborted) this.#state.noteHeld(caller.name, stored.id, heldSince());
        ended ??= { reason };
      }
    }));
    if (ended) throw ended.reason;
    if (failures.length > 0) this.#failed++;
    else {
      this.#applied++;
      if (isRestored) this.#restored++;
    }
    return failures;
  }

  /** Tells all plugins of a gap. */
  async gap(gap: Gap, signal: AbortSignal): Promise<void> {
    for (const caller of this.#callers) await caller.gap(gap, signal);
  }

  /** What is kept of a call that failed; it is logged. */
  letter({ plugin, update, error, isFinal }: FailedCall): DeadLetter {
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

  /** Tells of a dead letter, as in a call of a plugin: it, too, may hang. */
  async tell({ plugin, update, error }: FailedCall): Promise<void> {
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

  /** The update as it is delivered now: whether it is superseded is decided anew at each retry. */
  #current({ stream, stored, isRestored }: Handover, known?: boolean): Update {
    const { url, time, id } = stored;
    const superseded = known ??
      this.#state.newest.supersedes(url, Date.parse(time), id);
    const update = { ...stored, stream, server: serverOf(stream), superseded };
    return isRestored ? { ...update, restored: true } : update;
  }
}
