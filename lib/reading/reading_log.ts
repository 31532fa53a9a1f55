/**
 * Logs how reading goes on, for `-v`: what is found and heard of, how late it is applied, and how far
 * catching up has come.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Environment } from "../base/environment.ts";
import { type ObjectName, serverOf } from "../log/names.ts";
import type { State } from "../state/state.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Delay between two messages. */
const INTERVAL_MS = 10_000;

/** Number of servers that a message names. */
const MAX_NAMED = 20;

/** A stream that reaches further than was known. */
export interface StreamNews {
  /** The stream. */
  readonly stream: string;
  /** How far it was known to reach. */
  readonly known: number;
  /** How far it does. */
  readonly reach: number;
}

/** Logs what a listing has shown. */
export function logFound(
  news: readonly StreamNews[],
  streams: ReadonlyMap<string, readonly ObjectName[]>,
): void {
  let updates = 0, commits = 0;
  for (const { stream, known, reach } of news) {
    updates += reach - known;
    commits += streams.get(stream)!.filter(({ last }) => last > known).length;
  }
  const servers = [...new Set(news.map(({ stream }) => serverOf(stream)))];
  const more = servers.length > MAX_NAMED ? ` and ${servers.length - MAX_NAMED} more` : "";
  logger.debug("Found {updates} updates of {servers} in {commits} commits", {
    ...{ updates, commits, servers: servers.slice(0, MAX_NAMED).join(", ") + more },
  });
}

/** Logs a commit that a wake-up has told of; `isSent`: a peer has sent what is in it. */
export function logHeard(
  { stream, first, last }: ObjectName,
  { isSent }: { readonly isSent: boolean },
): void {
  const told = isSent ? "A peer sent" : "A wake-up told of";
  logger.debug(`${told} updates {first} to {last} of {stream}`, { first, last, stream });
}

/** An update that all plugins have had. */
export interface FinishedUpdate {
  /** Its seq. */
  readonly seq: number;
  /** When it was published, in ISO 8601. */
  readonly time: string;
}

/** Logs how far a stream was applied by `now`, and how long after publishing that was. */
export function logApplied(stream: string, { seq, time }: FinishedUpdate, now: number): void {
  const lag = `${(Math.max(0, now - Date.parse(time)) / 1000).toFixed(1)} s`;
  logger.debug("Applied {stream} up to {seq}, {lag} after that was published", {
    stream,
    seq,
    lag,
  });
}

/** Logs while updates are applied for longer than a moment: how many, of how many, until when. */
export class CatchingUp {
  readonly #state: State;
  readonly #clock: Environment["clock"];
  #applied = 0;
  #begunAt: number | undefined;
  #loggedAt = 0;

  /** Nothing has been applied yet. */
  constructor(
    { state, environment }: { readonly state: State; readonly environment: Environment },
  ) {
    this.#state = state;
    this.#clock = environment.clock;
  }

  /** Notes that the cursor has moved over `count` updates; the last of them was published at `time`. */
  applied(count: number, time: string): void {
    const now = this.#clock.elapsed();
    if (this.#begunAt === undefined) this.#begunAt = this.#loggedAt = now;
    this.#applied += count;
    if (now - this.#loggedAt < INTERVAL_MS) return;
    this.#loggedAt = now;
    logger.debug("Catching up: applied {applied} of {all} updates, until {time}", {
      applied: this.#applied,
      all: this.#applied + this.#left(),
      time,
    });
  }

  /** Notes that nothing is left to read. */
  end(): void {
    if (this.#begunAt === undefined) return;
    if (this.#loggedAt > this.#begunAt) {
      const seconds = Math.round((this.#clock.elapsed() - this.#begunAt) / 1000);
      logger.debug("Caught up: applied {applied} updates in {seconds} s", {
        applied: this.#applied,
        seconds,
      });
    }
    this.#begunAt = undefined;
    this.#applied = 0;
  }

  #left(): number {
    const { cursors } = this.#state;
    return cursors.unread().reduce(
      (sum, stream) => sum + cursors.reach(stream) - cursors.get(stream),
      0,
    );
  }
}
