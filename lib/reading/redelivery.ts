/**
 * Handing over again what a plugin could not apply, as far as that may have been for want of its
 * backend.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import { getLogger } from "@logtape/logtape";
import { delayBoundMs } from "../base/backoff.ts";
import { AutoResetEvent } from "../base/event.ts";
import type { Environment } from "../base/environment.ts";
import { messageOf } from "../errors.ts";
import { feedIdentity, shownUrl } from "../feed_url.ts";
import { tellFailure } from "../plugins/failure.ts";
import type { GivenUp, PluginCaller } from "./plugin_caller.ts";
import type { DeadLetter, ListedLetter, WaitingLetter } from "../state/dead_letters.ts";
import type { State } from "../state/state.ts";
import { type Update, updateFromJson } from "../update.ts";
import type { KeyedLock } from "../base/keyed_lock.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Delays between attempts to redeliver a letter. */
const RETRY_RANGE = { minMs: 60_000, maxMs: 3_600_000 };

/** When a new letter is tried again unless its plugin is seen to work before that. */
export function firstRetryAt(now: number): number {
  return now + RETRY_RANGE.minMs;
}

/** The update of a letter as it is delivered now: a newer one may have arrived since. */
export function currentUpdate({ content }: DeadLetter, { newest }: State): Update {
  const update = updateFromJson(JSON.parse(content));
  const { url, time, id } = update;
  return { ...update, superseded: newest.supersedes(url, Date.parse(time), id) };
}

/** What redelivery stands on. */
export interface RedeliveryOptions extends Pick<Core, "state" | "environment"> {
  /** URLs that plugins are busy with. */
  readonly feedLocks: KeyedLock;
  /** The plugins. */
  readonly callers: readonly PluginCaller[];
}

/** Tries dead letters again, those of a plugin one after the other. */
export class Redelivery {
  readonly #state: State;
  readonly #environment: Environment;
  readonly #callers: ReadonlyMap<string, PluginCaller>;
  readonly #feedLocks: KeyedLock;
  readonly #wakeUp: AutoResetEvent;
  /** Plugins that were seen to work: what waits for them is due. */
  readonly #working = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  /** Nothing is tried yet. */
  constructor({ state, environment, feedLocks, callers }: RedeliveryOptions) {
    this.#state = state;
    this.#environment = environment;
    this.#callers = new Map(callers.map((caller) => [caller.name, caller]));
    this.#feedLocks = feedLocks;
    this.#wakeUp = new AutoResetEvent(environment.clock);
  }

  /** The plugin works: what waits for it need not wait any longer. */
  hurry(plugin: string): void {
    this.#working.add(plugin);
    this.#wakeUp.set();
  }

  /** Tries letters again when their time has come, until `signal` is aborted. */
  async keepTrying(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wakeUp.set(), { once: true });
    while (!signal.aborted) {
      try {
        await this.run(signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("Cannot try dead letters again: {message}", { message: messageOf(error) });
      }
      await this.#wakeUp.wait(RETRY_RANGE.minMs);
    }
  }

  /** Tries all letters again whose time has come. */
  async run(signal: AbortSignal): Promise<void> {
    const before = this.#running;
    const running = before.catch(() => {}).then(() => this.#run(signal));
    this.#running = running.catch(() => {});
    await running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const working = new Set(this.#working), away = new Set<string>();
    this.#working.clear();
    for (const waiting of this.#state.deadLetters.waiting()) {
      signal.throwIfAborted();
      const caller = this.#callers.get(waiting.plugin);
      if (!caller || away.has(caller.name)) continue;
      if (!working.has(caller.name) && !this.#isDue(waiting)) continue;
      const letter = this.#state.deadLetters.get(waiting.id);
      if (!letter) continue; // Gone meanwhile.
      if (this.#feedLocks.isHeld(feedIdentity(letter.url))) this.#working.add(caller.name); // The next time.
      else if (await this.#retry(letter, caller, waiting) === "away") away.add(caller.name);
    }
  }

  /** By a clock that may have been set back since. */
  #isDue({ retryAt }: WaitingLetter): boolean {
    const now = this.#environment.clock.now();
    return retryAt <= now || retryAt > now + RETRY_RANGE.maxMs;
  }

  /** Resolves to whether the backend is away: then it is for all other letters, too. */
  async #retry(
    letter: ListedLetter & DeadLetter,
    caller: PluginCaller,
    waiting: WaitingLetter,
  ): Promise<"away" | undefined> {
    using _lock = this.#feedLocks.take(feedIdentity(letter.url));
    const { id, plugin, url, stream, seq } = letter;
    const givenUp = await caller.retry(currentUpdate(letter, this.#state));
    if (!givenUp) {
      this.#state.transaction(() => this.#state.deadLetters.drop(id));
      logger.info("{plugin} has applied the dead letter {id} of {url}", {
        plugin,
        id,
        url: shownUrl(url),
      });
      return undefined;
    }
    const message = tellFailure(givenUp.error, url);
    const retryAt = this.#nextRetryAt(givenUp, waiting);
    this.#state.transaction(() => this.#state.deadLetters.postpone(id, message, retryAt));
    const properties = { plugin, id, url: shownUrl(url), stream, seq, message };
    const text = "{plugin} cannot apply the dead letter {id} of {url} ({stream}/{seq})";
    if (givenUp.isFinal) logger.error(`${text}, which is kept: {message}`, properties);
    else logger.debug(`${text}, which is tried again: {message}`, properties);
    return givenUp.outage && "away";
  }

  #nextRetryAt({ isFinal, outage }: GivenUp, { retries }: WaitingLetter): number | null {
    if (isFinal) return null;
    const delayMs = Math.max(delayBoundMs(RETRY_RANGE, retries + 2), outage?.retryAfterMs ?? 0);
    return Math.round(this.#environment.clock.now()) + Math.min(delayMs, RETRY_RANGE.maxMs);
  }
}
