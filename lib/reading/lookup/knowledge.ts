/**
 * Where to look up what is the newest update of a feed: in the state of a server that watches, else in what
 * is read for this.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Connection } from "../../connection.ts";
import { ConfigError, isLocked, type UnreadableError } from "../../errors.ts";
import type { KnownFeed, NewestRow } from "../../state/newest.ts";
import type { State } from "../../state/state.ts";
import { compareUpdates } from "../../log/update_order.ts";
import { LogReader } from "./log_reader.ts";

const logger = getLogger(["feedsync", "read"]);

/** A state knows the log that has polled within this time. While it watches, it lists more often. */
const MAX_POLL_AGE_MS = 10 * 60 * 1000;

/** What cannot be read is given up after the retention; after a day when there is none. */
const DAY_MS = 24 * 60 * 60 * 1000;

/** One for each connection: the second time it reads only what is new. */
const READERS = new WeakMap<Connection, LogReader>();

/** What is known of the newest updates, in the states of all that have read the log here. */
export class Knowledge {
  readonly #states: readonly State[];
  readonly #unreadable: readonly UnreadableError[];

  /** What is in these states; `unreadable` was in the way of more. */
  private constructor(states: readonly State[], unreadable: readonly UnreadableError[] = []) {
    this.#states = states;
    this.#unreadable = unreadable;
  }

  /**
   * What `state` knows if whoever watches with it has polled a while ago at most, else that and what is in the
   * log by now.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the log has to be read and cannot be.
   */
  static async gather(
    connection: Connection,
    state: State,
    signal: AbortSignal,
  ): Promise<Knowledge> {
    if (isCurrent(connection, state)) return new Knowledge([state]);
    logger.debug("Nobody has polled with the state {path} for a while: the log is read", {
      path: state.path,
    });
    const reader = readerOf(connection);
    return new Knowledge([state, reader.state], await reader.poll(signal));
  }

  /**
   * What is not known here may be in what could not be read.
   *
   * @throws {UnreadableError | ConfigError} that tells what that is.
   */
  assertWhole(): void {
    const error = this.#unreadable.find(isLocked) ?? this.#unreadable[0];
    if (error) throw error;
    for (const { cursors } of this.#states) {
      const reason = cursors.unread().map((stream) => cursors.locked(stream)?.reason)
        .find((reason) => reason !== undefined);
      if (reason !== undefined) throw new ConfigError(`Cannot read everything: ${reason}`);
    }
  }

  /** What is known of a feed, and by which state. */
  get(url: string): { readonly row: NewestRow; readonly state: State } | undefined {
    let best: { row: NewestRow; state: State } | undefined;
    for (const state of this.#states) {
      const row = state.newest.get(url);
      if (row && !(best && compareUpdates(row, best.row) <= 0)) best = { row, state };
    }
    return best;
  }

  /** All feeds that are known, by URL, or those that were updated at `since` or later. */
  *all({ since = 0 }: { since?: number } = {}): Iterable<KnownFeed> {
    const sources = this.#states.map(({ newest }, index) => {
      const feeds = newest.feeds({ since })[Symbol.iterator]();
      return { feeds, next: feeds.next().value, before: this.#states.slice(0, index) };
    });
    for (;;) {
      const rest = sources.filter(({ next }) => next !== undefined);
      if (rest.length === 0) return;
      const source = rest.reduce((a, b) => b.next!.url < a.next!.url ? b : a);
      const feed = source.next!;
      source.next = source.feeds.next().value;
      const isDone = source.before.some(({ newest }) => isKnown(newest, feed.url, since));
      if (!isDone) yield { ...feed, ...this.get(feed.url)!.row };
    }
  }
}

function isKnown(newest: State["newest"], url: string, since: number): boolean {
  return (newest.get(url)?.time ?? -1) >= since;
}

/**
 * Has the state of the connection know what is in the log, unless whoever watches with it has polled a while
 * ago at most.
 *
 * @throws {StoreUnavailableError | AccessDeniedError} when the log has to be read and cannot be.
 */
export async function ensureKnown(connection: Connection, signal: AbortSignal): Promise<void> {
  if (!isCurrent(connection, connection.parts!.state)) await learnLog(connection, signal);
}

/**
 * Has the state of the connection know what is in the log by now, without moving a cursor: nothing of it counts
 * as delivered. Resolves to what could not be read.
 *
 * @throws {StoreUnavailableError | AccessDeniedError} when the log cannot be read.
 */
export async function learnLog(
  connection: Connection,
  signal: AbortSignal,
): Promise<readonly UnreadableError[]> {
  const { state } = connection.parts!, reader = readerOf(connection);
  const unreadable = await reader.poll(signal);
  state.transaction(() => {
    for (const { url, place, ...version } of reader.state.newest.feeds()) {
      state.newest.note(url, version, { place, isDelivered: false });
    }
  }, { durable: false });
  return unreadable;
}

function readerOf(connection: Connection): LogReader {
  let reader = READERS.get(connection);
  if (!reader) READERS.set(connection, reader = new LogReader(connection));
  return reader;
}

function isCurrent(connection: Connection, state: State): boolean {
  const { config: { from, poll, retention }, parts } = connection;
  const { log, environment: { clock } } = parts!;
  const lastPoll = state.fact("lastPoll");
  if (lastPoll === undefined) return false;
  if (clock.now() - Number(lastPoll) > Math.max(MAX_POLL_AGE_MS, 2 * poll.max)) return false;
  const heldAfter = log.now() - (retention || DAY_MS);
  if (!state.isInMemory) return state.isRestored({ from, heldAfter });
  // One in memory does not restore, and is not to count as if it had.
  return from === "earliest" && !state.cursors.hasUnread(state.ownStream.load().stream, heldAfter);
}
