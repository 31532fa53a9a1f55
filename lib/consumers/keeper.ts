/**
 * Keeps the inbox small while the local API runs: drops what everybody has, what is too old, and
 * what is too much, and forgets consumers that nobody reads.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { AutoResetEvent } from "../base/event.ts";
import { messageOf } from "../errors.ts";
import { forgetAbandoned, forgetConsumer } from "../state/abandoned_consumers.ts";
import type { Core } from "../state/core.ts";
import { DEFAULT_LIMITS, type InboxLimits } from "../state/inbox_upkeep.ts";
import type { InboxOptions } from "./consumer.ts";

const logger = getLogger(["feedsync", "consumers"]);

/** How often to look after the inbox at least: clocks may be changed. */
const INTERVAL_MS = 3_600_000;

/** How often at most, unless it is too large. */
const MIN_INTERVAL_MS = 10_000;

/** Acknowledged rows are dropped when there are so many, or nothing else is left. */
const ACKNOWLEDGED_ROWS = 500;

/** When the inbox is too large, an eighth more is dropped, so that this is rarely necessary. */
const SHRUNK = 7 / 8;

/** Looks after the inbox until it is closed. */
export class InboxKeeper {
  readonly #core: Core;
  readonly #limits: InboxLimits;
  readonly #wakeUp: AutoResetEvent;
  readonly #running: Promise<void>;
  readonly #stopListening: () => void;
  #isClosed = false;

  /** Starts at once. */
  constructor(core: Core, options: InboxOptions) {
    const { maxAgeMs = DEFAULT_LIMITS.maxAgeMs, maxBytes = DEFAULT_LIMITS.maxBytes } = options;
    this.#core = core;
    this.#limits = { maxAgeMs, maxBytes };
    this.#wakeUp = new AutoResetEvent(core.environment.clock);
    core.state.transaction(() => core.state.inboxUpkeep.setLimits(this.#limits));
    this.#stopListening = core.state.inbox.onChange(() => this.#wakeUp.set());
    this.#running = this.#run();
  }

  /** Drops rows that everybody has acknowledged, if there are enough of them. */
  acknowledged(): void {
    this.#dropAcknowledged();
  }

  /** Forgets a consumer, and what waits for it alone. */
  forget(name: string): void {
    forgetConsumer(this.#core.state, name);
    this.#wakeUp.set();
  }

  /** Stops. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    this.#wakeUp.set();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { state, environment } = this.#core;
    while (!this.#isClosed) {
      let waitMs = MIN_INTERVAL_MS;
      try {
        forgetAbandoned(state, environment.clock.now());
        await this.#shrink();
        waitMs = this.#untilNextDuty();
      } catch (error) {
        logger.warn("Cannot look after the inbox, trying again: {message}", {
          message: messageOf(error),
        });
      }
      await this.#wakeUp.wait(waitMs);
    }
  }

  /** Milliseconds until something gets too old. */
  #untilNextDuty(): number {
    const { state: { consumers, inboxUpkeep }, environment: { clock } } = this.#core;
    const { maxAgeMs } = this.#limits;
    const since = Math.min(consumers.longestUnread(), inboxUpkeep.oldestArrival() ?? Infinity);
    return Math.min(INTERVAL_MS, Math.max(MIN_INTERVAL_MS, since + maxAgeMs + 1 - clock.now()));
  }

  /** Drops what may or must go, in small steps: others use the state meanwhile. */
  async #shrink(): Promise<void> {
    const { state: { inbox, inboxUpkeep: upkeep }, environment: { clock } } = this.#core;
    const { maxAgeMs, maxBytes } = this.#limits;
    while (this.#dropAcknowledged()) await this.#pause();
    const tooOld = () => clock.now() - maxAgeMs > (upkeep.oldestArrival() ?? Infinity);
    while (tooOld()) {
      this.#dropOldest({ before: clock.now() - maxAgeMs });
      await this.#pause();
    }
    if (inbox.bytes() <= maxBytes) return;
    const excess = () => inbox.bytes() - SHRUNK * maxBytes;
    for (let row: number | undefined = 0; row !== undefined && excess() > 0;) {
      row = this.#dropSuperseded(row);
      await this.#pause();
    }
    while (excess() > 0 && upkeep.oldestArrival() !== undefined) {
      this.#dropOldest({ bytes: excess() });
      await this.#pause();
    }
  }

  /** Drops rows that everybody has acknowledged; returns whether there were enough of them. */
  #dropAcknowledged(): boolean {
    const { state } = this.#core, { consumers, inbox, inboxUpkeep } = state;
    const last = inbox.lastRow(), end = Math.min(consumers.leastRow(), last);
    const count = end + 1 - inbox.firstRow();
    if (count <= 0 || count < ACKNOWLEDGED_ROWS && end < last) return false;
    state.transaction(() => inboxUpkeep.dropUpTo(end), { durable: false });
    return true;
  }

  #dropSuperseded(row: number): number | undefined {
    const { state } = this.#core;
    return state.transaction(() => state.inboxUpkeep.dropSuperseded(row), { durable: false });
  }

  #dropOldest(which: { readonly before?: number; readonly bytes?: number }): void {
    const { state } = this.#core;
    state.transaction(() => state.inboxUpkeep.dropOldest(which), { durable: false });
  }

  /** Lets others work. */
  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#core.environment.clock.setTimer(0, resolve);
    await promise;
  }
}
