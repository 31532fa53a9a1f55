/**
 * Looks up the newest known update of feeds: in the state of a watching server, or else in a
 * temporary state, for which the log is read.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Connection, LogReading } from "../../connection.ts";
import { ConfigError, isLocked, type UnreadableError } from "../../errors.ts";
import { patienceOf } from "../../retention/expiry.ts";
import type { KnownFeed, NewestRow } from "../../state/newest.ts";
import type { State } from "../../state/state.ts";
import { compareUpdates } from "../../log/update_order.ts";
import { LogReader } from "./log_reader.ts";

const logger = getLogger(["feedsync", "read"]);

/** A state is current if its last poll is at most this old. */
const MAX_POLL_AGE_MS = 10 * 60 * 1000;

/** The newest known updates, merged from several states. */
export class Knowledge {
  readonly #states: readonly State[];
  readonly #unreadable: readonly UnreadableError[];

  /** Merges the states; `unreadable` are the errors that make them incomplete. */
  private constructor(states: readonly State[], unreadable: readonly UnreadableError[] = []) {
    this.#states = states;
    this.#unreadable = unreadable;
  }

  /**
   * Uses `state` alone if a watcher has polled with it recently; otherwise reads the log, too.
   *
   * @throws {StoreUnavailableError | AccessDeniedError} when the log must be read, but cannot be.
   */
  static async gather(
    connection: Connection,
    state: State,
    signal: AbortSignal,
  ): Promise<Knowledge> {
    if (isCurrent(connection, state)) return new Knowledge([state]);
    logger.debug("No recent poll with the state {path}: reading the log", {
      path: state.path,
    });
    const reader = readerOf(connection);
    return new Knowledge([state, reader.state], await reader.poll(signal));
  }

  /**
   * Asserts that the whole log was read, so that an unknown feed does not exist.
   *
   * @throws {UnreadableError | ConfigError} that says what could not be read.
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

  /** The newest known update of a feed, and the state that knows it. */
  get(url: string): { readonly row: NewestRow; readonly state: State } | undefined {
    let best: { row: NewestRow; state: State } | undefined;
    for (const state of this.#states) {
      const row = state.newest.get(url);
      if (row && !(best && compareUpdates(row, best.row) <= 0)) best = { row, state };
    }
    return best;
  }

  /** All known feeds that were updated at `since` or later, by URL. */
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
 * Reads the log into the state of the connection, unless a watcher has polled with it recently.
 *
 * @throws {StoreUnavailableError | AccessDeniedError} when the log must be read, but cannot be.
 */
export async function ensureKnown(connection: Connection, signal: AbortSignal): Promise<void> {
  if (!isCurrent(connection, connection.parts!.state)) await learnLog(connection, signal);
}

/**
 * Notes the newest updates of the log in the state of the connection, without moving a cursor: they
 * do not count as delivered. Resolves to the errors of unreadable objects.
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

function readerOf(connection: Connection): LogReading {
  return connection.logReader(() => new LogReader(connection));
}

function isCurrent(connection: Connection, state: State): boolean {
  const { config, parts } = connection, { from, poll } = config;
  const { log, environment: { clock } } = parts!;
  const lastPoll = state.fact("lastPoll");
  if (lastPoll === undefined) return false;
  if (clock.now() - Number(lastPoll) > Math.max(MAX_POLL_AGE_MS, 2 * poll.max)) return false;
  const heldAfter = log.now() - patienceOf(config);
  if (!state.isInMemory) return state.isRestored({ from, heldAfter });
  // A watcher with a state in memory does not restore, so isRestored() does not apply.
  return from === "earliest" && !state.cursors.hasUnread(state.ownStream.load().stream, heldAfter);
}
