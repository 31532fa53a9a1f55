/**
 * Tells those who read `GET /v1/events` what happens. Events are made once for all of them, and none
 * while nobody reads.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { withDeadline } from "../../base/deadline.ts";
import { type Clock, sleep } from "../../base/environment.ts";
import type { Connection } from "../../connection.ts";
import { messageOf } from "../../errors.ts";
import type { FleetStatus } from "../../fleet/status/fleet_status.ts";
import { ApiError } from "../errors.ts";
import {
  fleetEvent,
  lettersEvent,
  noFleetEvent,
  type Sample,
  sampleOf,
  serverEvent,
} from "./data.ts";
import { History } from "./history.ts";
import { type EncodedEvent, EventQueue } from "./queue.ts";
import { RecentUpdates } from "./recent.ts";
import type { EventData, EventName } from "./schemas.ts";

const logger = getLogger(["feedsync", "api"]);

/** Delay between looks for dead letters, which other processes may retry, too. */
const TICK_MS = 1000;

/** After so many ticks something is told in any case: 15 seconds. */
const HEARTBEAT_TICKS = 15;

/** So long after a change the fleet is asked about again: its status is remembered for a moment. */
const SETTLED_TICKS = 3;

/** How long the store may take to tell how the fleet is. */
const FLEET_TIMEOUT_MS = 10_000;

/** Updates that arrive within this time are one event. */
const COLLECT_MS = 200;

/** Dependencies of {@linkcode EventHub}. */
export interface EventHubOptions {
  /** The connection. */
  readonly connection: Connection;
  /** Asks how the fleet is. */
  readonly status: () => Promise<FleetStatus>;
  /** Measures delays. */
  readonly clock: Clock;
  /** Version of feedsync. */
  readonly version: string;
}

/** Notes what happens, and makes the events, until it is closed. */
export class EventHub {
  readonly #options: EventHubOptions;
  readonly #recent: RecentUpdates;
  readonly #history: History;
  readonly #queues = new Set<EventQueue>();
  #running = new AbortController();
  #fleet: EncodedEvent | undefined;
  #asking: Promise<void> | undefined;
  /** When it is asked for in any case. */
  #fleetTick = Infinity;
  #lettersSign = "";
  #retries = 0;
  #sentNumber = 0;
  #cancelSending: (() => void) | undefined;

  /** Begins to note. */
  constructor(options: EventHubOptions) {
    this.#options = options;
    const { connection, clock } = options, everyMs = HEARTBEAT_TICKS * TICK_MS;
    this.#recent = new RecentUpdates(connection, () => this.#sendUpdatesSoon());
    this.#history = new History(() => this.#sample(), { clock, everyMs });
  }

  /** The events for one more client, until it calls `return()`. */
  subscribe(): EventQueue {
    const queue = new EventQueue((ended) => this.#unsubscribe(ended));
    queue.push(this.#server());
    if (this.#fleet) queue.push(this.#fleet);
    queue.push(this.#letters());
    queue.push(this.#updates(0));
    this.#queues.add(queue);
    if (this.#queues.size === 1) this.#begin();
    return queue;
  }

  /** To be called when dead letters were retried: those that failed have another error. */
  noteRetry(): void {
    this.#retries++;
  }

  /** Makes no events any more. */
  close(): void {
    this.#end();
    this.#history.close();
    this.#recent.close();
  }

  #unsubscribe(queue: EventQueue): void {
    if (this.#queues.delete(queue) && this.#queues.size === 0) this.#end();
  }

  #begin(): void {
    this.#sentNumber = this.#recent.total;
    this.#fleetTick = Infinity;
    this.#running = new AbortController();
    const { signal } = this.#running;
    this.#run(signal).catch(() => {}); // It has ended.
  }

  #end(): void {
    this.#running.abort();
    this.#cancelSending?.();
    this.#cancelSending = this.#fleet = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let tick = 0;; tick++) {
      try {
        this.#tick(tick);
      } catch (error) {
        logger.debug("Cannot tell how this server is: {message}", { message: messageOf(error) });
      }
      await sleep(this.#options.clock, TICK_MS, signal);
    }
  }

  #tick(tick: number): void {
    const isBeat = tick % HEARTBEAT_TICKS === 0, hasChanged = this.#haveLettersChanged();
    if (hasChanged) this.#fleetTick = Math.min(this.#fleetTick, tick + SETTLED_TICKS);
    if (isBeat || tick >= this.#fleetTick) {
      this.#fleetTick = Infinity;
      this.#askForFleet();
    }
    if (isBeat) this.#send(this.#server());
    // Some are retried by themselves, and have another error then.
    if (isBeat || hasChanged) this.#send(this.#letters());
  }

  /** Whether there are others than at the last call. */
  #haveLettersChanged(): boolean {
    const { parts } = this.#options.connection, before = this.#lettersSign;
    if (!parts) return false;
    const { deadLetters } = parts.state;
    this.#lettersSign = `${deadLetters.count()} ${deadLetters.lastId()} ${this.#retries}`;
    return this.#lettersSign !== before;
  }

  #askForFleet(): void {
    this.#asking ??= this.#fleetNow().then((fleet) => {
      this.#asking = undefined;
      if (this.#queues.size === 0) return;
      this.#fleet = encoded("fleet", fleet);
      this.#send(this.#fleet);
    });
  }

  async #fleetNow(): Promise<EventData["fleet"]> {
    const { status, clock, connection } = this.#options;
    const timeoutReason = () =>
      new ApiError(503, {
        name: "StoreUnavailableError",
        message: `The store has not answered within ${FLEET_TIMEOUT_MS / 1000} s`,
      });
    try {
      const limit = { clock, timeoutMs: FLEET_TIMEOUT_MS, timeoutReason };
      return fleetEvent(await withDeadline(status, limit), connection);
    } catch (thrown) {
      return noFleetEvent(thrown, new Date(clock.now()).toISOString());
    }
  }

  #server(): EncodedEvent {
    const { connection, version } = this.#options;
    const sample = this.#sample(), history = this.#history.numbers;
    return encoded("server", serverEvent(connection, { sample, history, version }));
  }

  #sample(): Sample {
    return sampleOf(this.#options.connection, this.#recent.counts);
  }

  #letters(): EncodedEvent {
    return encoded("letters", lettersEvent(this.#options.connection));
  }

  #updates(after: number): EncodedEvent {
    const { total } = this.#recent;
    return encoded("updates", { total, updates: this.#recent.after(after) });
  }

  #sendUpdatesSoon(): void {
    if (this.#queues.size === 0) return;
    this.#cancelSending ??= this.#options.clock.setTimer(COLLECT_MS, () => {
      this.#cancelSending = undefined;
      this.#send(this.#updates(this.#sentNumber));
      this.#sentNumber = this.#recent.total;
    });
  }

  #send(event: EncodedEvent): void {
    for (const queue of this.#queues) queue.push(event);
  }
}

function encoded<Name extends EventName>(name: Name, data: EventData[Name]): EncodedEvent {
  return {
    name,
    bytes: new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`),
  };
}
