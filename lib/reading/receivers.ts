/**
 * Delivers one update to all plugins, one update of a feed at a time.
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

/** Dependencies of {@linkcode Receivers}. */
export interface ReceiversOptions extends Pick<Core, "state" | "environment"> {
  /** Locks of the feeds that plugins are working on, since streams are applied in parallel. */
  readonly feedLocks: KeyedLock;
  /** The plugins that receive the updates. */
  readonly plugins: readonly RunningPlugin[];
  /** Maximum duration of one call in milliseconds. */
  readonly callbackTimeout: number;
  /** Aborts running calls when a graceful stop takes too long. */
  readonly forced: AbortSignal;
  /** See {@linkcode CallOptions}. */
  readonly outagePatienceMs?: number | undefined;
  /** Called for each dead letter, once it is stored. */
  readonly onDeadLetter?: ((failed: FailedUpdate) => void | Promise<void>) | undefined;
}

/** An update that a plugin could not apply, stored as a dead letter. */
export interface FailedUpdate {
  /** Name of the plugin; `callback` for a callback. */
  readonly plugin: string;
  /** The update. */
  readonly update: Update;
  /** The last error that the plugin threw. */
  readonly error: unknown;
}

/** A failed update, and whether the update is the cause. */
export type FailedCall = FailedUpdate & GivenUp;

/** An update to deliver. */
export interface Handover {
  /** The stream in which it was published. */
  readonly stream: string;
  /** The update. */
  readonly stored: StoredUpdate;
  /** Whether it is superseded, for the first call. @default looked up, as for each retry */
  readonly isSuperseded?: (() => boolean | undefined) | undefined;
  /** Whether it is delivered as `restored`. @default false */
  readonly isRestored?: boolean | undefined;
  /** Name of the only plugin to deliver to. @default all plugins */
  readonly only?: string | undefined;
  /**
   * Returns the delivery of the update that comes `count` updates before in the stream, if that is
   * under way. @default none is
   */
  readonly before?: ((count: number) => Promise<unknown> | undefined) | undefined;
}

/** Delivers updates to the plugins. */
export class Receivers {
  readonly #state: State;
  readonly #environment: Environment;
  readonly #callers: readonly PluginCaller[];
  readonly #options: ReceiversOptions;
  readonly #feedLocks: KeyedLock;
  /** Retries dead letters. */
  readonly redelivery: Redelivery;
  #applied = 0;
  #restored = 0;
  #failed = 0;

  /** Creates the callers of the plugins, without calling any yet. */
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

  /** Numbers of updates that all plugins applied, of those restored, and of those that failed. */
  get counts(): { applied: number; restored: number; failed: number } {
    return { applied: this.#applied, restored: this.#restored, failed: this.#failed };
  }

  /** Names of the plugins. */
  get names(): readonly string[] {
    return this.#callers.map(({ name }) => name);
  }

  /** Number of updates of one stream that plugins may be called for at the same time, at most. */
  get concurrency(): number {
    return Math.max(1, ...this.#callers.map(({ concurrency }) => concurrency));
  }

  /** Why reading waits for plugins. */
  get outages(): string[] {
    return this.#callers.flatMap(({ outage }) => outage ?? []);
  }

  /** Takes the lock of the feed if nobody holds it, until the result is disposed of. */
  tryLock(url: string): Disposable | undefined {
    const feed = feedIdentity(url);
    return this.#feedLocks.isHeld(feed) ? undefined : this.#feedLocks.take(feed);
  }

  /** Waits for the lock of the feed, and holds it until the result is disposed of. */
  async lock(url: string, signal: AbortSignal): Promise<Disposable> {
    for (;;) {
      signal.throwIfAborted();
      const lock = this.tryLock(url);
      if (lock) return lock;
      await this.#feedLocks.released(feedIdentity(url), signal);
    }
  }

  /**
   * Delivers an update while its feed is locked; resolves to the calls that failed. Returns
   * `undefined` when all plugins have applied it without waiting for anything.
   */
  handOver(handover: Handover, signal: AbortSignal): Promise<FailedCall[]> | undefined {
    const { only } = handover, calls: Promise<FailedCall | undefined>[] = [];
    for (const caller of this.#callers) {
      if (only !== undefined && caller.name !== only) continue;
      const call = this.#call(caller, handover, signal);
      if (call) calls.push(call);
    }
    if (calls.length > 0) return this.#whenCalled(calls, handover);
    this.#note([], handover);
    return undefined;
  }

  /** Waits for all calls, even when one rejects. */
  async #whenCalled(
    calls: readonly Promise<FailedCall | undefined>[],
    handover: Handover,
  ): Promise<FailedCall[]> {
    let ended: { reason: unknown } | undefined;
    const results = await Promise.all(calls.map((call) =>
      call.catch((reason) => {
        ended ??= { reason };
        return undefined;
      })
    ));
    if (ended) throw ended.reason;
    const failures = results.filter((failed) => failed !== undefined);
    this.#note(failures, handover);
    return failures;
  }

  #note(failures: readonly FailedCall[], { isRestored }: Handover): void {
    if (failures.length > 0) return void this.#failed++;
    this.#applied++;
    if (isRestored) this.#restored++;
  }

  #call(
    caller: PluginCaller,
    handover: Handover,
    signal: AbortSignal,
  ): Promise<FailedCall | undefined> | undefined {
    const earlier = handover.before?.(caller.concurrency);
    return earlier
      ? earlier.then(() => this.#update(caller, handover, signal))
      : this.#update(caller, handover, signal);
  }

  #update(
    caller: PluginCaller,
    handover: Handover,
    signal: AbortSignal,
  ): Promise<FailedCall | undefined> | undefined {
    const { stored, isSuperseded } = handover;
    const now = this.#environment.clock.now();
    const heldSince = () => this.#state.heldSince(caller.name, stored.id) ?? now;
    const call = caller.update(
      (again) => this.#current(handover, again ? undefined : isSuperseded?.()),
      signal,
      () => now - heldSince(),
    );
    return call?.then(
      (givenUp) => givenUp && { plugin: caller.name, update: this.#current(handover), ...givenUp },
      (reason) => {
        // Kept for the next poll, perhaps in another process, which limits how long it is tried.
        if (!signal.aborted) this.#state.noteHeld(caller.name, stored.id, heldSince());
        throw reason;
      },
    );
  }

  /** Reports a gap to all plugins. */
  async gap(gap: Gap, signal: AbortSignal): Promise<void> {
    for (const caller of this.#callers) await caller.gap(gap, signal);
  }

  /** Makes the dead letter of a failed call, and logs it. */
  letter({ plugin, update, error, isFinal }: FailedCall): DeadLetter {
    const { stream, seq, url } = update;
    const message = tellFailure(error, url);
    const properties = { plugin, url: shownUrl(url), stream, seq, message };
    const text = "{plugin} cannot apply {url} ({stream}/{seq}), kept as a dead letter";
    if (isFinal) logger.error(`${text}: {message}`, properties);
    else logger.warn(`${text}, which is retried automatically: {message}`, properties);
    const time = Math.round(this.#environment.clock.now());
    const content = JSON.stringify(updateToJson(update));
    const retryAt = isFinal ? null : firstRetryAt(time);
    return { plugin, stream, seq, content, error: message, time, retryAt };
  }

  /** Calls `onDeadLetter`, with a timeout as for a plugin. */
  async reportDeadLetter({ plugin, update, error }: FailedCall): Promise<void> {
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

  /** The update as it is delivered now: a retry looks up again whether it is superseded. */
  #current({ stream, stored, isRestored }: Handover, known?: boolean): Update {
    const { url, time, id } = stored;
    const superseded = known ??
      this.#state.newest.supersedes(url, Date.parse(time), id);
    const update = { ...stored, stream, server: serverOf(stream), superseded };
    return isRestored ? { ...update, restored: true } : update;
  }
}
