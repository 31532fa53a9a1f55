/**
 * Redelivers dead letters automatically if the plugin may have failed because its backend was away.
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

/** Delay between attempts to redeliver a letter. */
const RETRY_RANGE = { minMs: 60_000, maxMs: 3_600_000 };

/** When a new letter is tried again, unless its plugin applies something before that. */
export function firstRetryAt(now: number): number {
  return now + RETRY_RANGE.minMs;
}

/** The update of a letter as it is delivered now: a newer one may have arrived since. */
export function currentUpdate({ content }: DeadLetter, { newest }: State): Update {
  const update = updateFromJson(JSON.parse(content));
  const { url, time, id } = update;
  return { ...update, superseded: newest.supersedes(url, Date.parse(time), id) };
}

/** Dependencies of redelivery. */
export interface RedeliveryOptions extends Pick<Core, "state" | "environment"> {
  /** Locks of the feeds that plugins are working on. */
  readonly feedLocks: KeyedLock;
  /** Callers of the plugins. */
  readonly callers: readonly PluginCaller[];
}

/** Retries dead letters, one at a time per plugin. */
export class Redelivery {
  readonly #state: State;
  readonly #environment: Environment;
  readonly #callers: ReadonlyMap<string, PluginCaller>;
  readonly #feedLocks: KeyedLock;
  readonly #wakeUp: AutoResetEvent;
  /** Plugins that have applied something since the last run: their letters are due. */
  readonly #working = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  /** Creates it, without trying anything yet. */
  constructor({ state, environment, feedLocks, callers }: RedeliveryOptions) {
    this.#state = state;
    this.#environment = environment;
    this.#callers = new Map(callers.map((caller) => [caller.name, caller]));
    this.#feedLocks = feedLocks;
    this.#wakeUp = new AutoResetEvent(environment.clock);
  }

  /** Makes the letters of a plugin due, since it works again. */
  hurry(plugin: string): void {
    this.#working.add(plugin);
    this.#wakeUp.set();
  }

  /** Retries letters when they are due, until `signal` is aborted. */
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

  /** Retries all letters that are due. */
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
      if (!letter) continue; // Dropped meanwhile.
      // A feed that is being updated is tried in the next run.
      if (this.#feedLocks.isHeld(feedIdentity(letter.url))) this.#working.add(caller.name);
      else if (await this.#retry(letter, caller, waiting) === "away") away.add(caller.name);
    }
  }

  /** Also true if the clock was set back, so that the time is too far ahead. */
  #isDue({ retryAt }: WaitingLetter): boolean {
    const now = this.#environment.clock.now();
    return retryAt <= now || retryAt > now + RETRY_RANGE.maxMs;
  }

  /** Resolves to "away" if the backend is: then the other letters of the plugin can wait. */
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
      logger.info("{plugin} applied the dead letter {id} of {url}", {
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
    if (givenUp.isFinal) logger.error(`${text}, keeping it: {message}`, properties);
    else logger.debug(`${text}, trying it again later: {message}`, properties);
    return givenUp.outage && "away";
  }

  #nextRetryAt({ isFinal, outage }: GivenUp, { retries }: WaitingLetter): number | null {
    if (isFinal) return null;
    const delayMs = Math.max(delayBoundMs(RETRY_RANGE, retries + 2), outage?.retryAfterMs ?? 0);
    return Math.round(this.#environment.clock.now()) + Math.min(delayMs, RETRY_RANGE.maxMs);
  }
}
