/**
 * Learns what others have published, before files are published as new, or feeds as gone. A watcher
 * learns it by reading the log and restoring. Without a watcher, the bucket is read once for this.
 *
 * @module
 */
import type { Connection, Parts } from "../../connection.ts";
import { sleep } from "../../base/environment.ts";
import { isLocked } from "../../errors.ts";
import { LOCKED_LIVES, patienceOf } from "../../retention/expiry.ts";
import { FileLock } from "../../state/lock.ts";
import type { State } from "../../state/state.ts";
import { learnLog } from "./knowledge.ts";
import { findMissingFeeds } from "../restoring/missing_feeds.ts";
import { ReadingBudget } from "../reading_budget.ts";
import { Receivers } from "../receivers.ts";
import { type Obstacle, Restorer } from "../restoring/restorer.ts";

/** Delay between checks whether another process has polled. */
const LOOK_INTERVAL_MS = 500;

/**
 * Resolves to whether the state knows what others have published. If no process watches with it, or
 * only from `now`, reads the whole bucket once, without moving a cursor. Otherwise the watcher will
 * learn it.
 *
 * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
 * @throws {UnreadableError} when a part of it cannot be read and is not given up yet.
 */
export async function knowsOthers(connection: Connection, signal: AbortSignal): Promise<boolean> {
  const { parts, config: { from } } = connection;
  if (!parts) return true;
  const { state } = parts;
  const isKnown = state.isInMemory
    ? state.fact("restored") !== undefined // Its watcher does not restore.
    : state.isRestored({ from, heldAfter: heldAfter(connection) });
  if (isKnown) return true;
  if (from === "earliest" && isWatched(state)) return false;
  await learnNewest(connection, signal);
  state.setFact("restored", 1);
  return true;
}

/**
 * Resolves when the state knows what others have published by now.
 *
 * @throws {StoreUnavailableError | AccessDeniedError | UnreadableError} as {@linkcode knowsOthers}.
 */
export async function catchUp(connection: Connection, signal: AbortSignal): Promise<void> {
  const { parts, watcher } = connection;
  if (!parts) return;
  const { state } = parts;
  if (watcher) await watcher.poll();
  else if (isWatched(state)) await nextPoll(connection, signal);
  else return await learnNewest(connection, signal);
  const isRead = !state.cursors.hasUnread(state.ownStream.load().stream, heldAfter(connection));
  if (isRead && !state.restoring.isDue()) return;
  throw new Error("some updates of other servers cannot be read yet");
}

/** Waits for two polls of another process: the second one began after this call. */
async function nextPoll({ parts }: Connection, signal: AbortSignal): Promise<void> {
  const { state, environment: { clock } } = parts!;
  for (let polls = 0, last = state.fact("lastPoll"); polls < 2;) {
    await sleep(clock, LOOK_INTERVAL_MS, signal);
    const poll = state.fact("lastPoll");
    if (poll !== last) polls++;
    last = poll;
  }
}

/** Objects that have been waited for since before this time, by the store's clock, are given up. */
function heldAfter({ config, parts }: Connection): number {
  return parts!.log.now() - patienceOf(config);
}

function isWatched(state: State): boolean {
  if (state.path === ":memory:") return false;
  using lock = new FileLock(`${state.path}.watch.lock`);
  return !lock.tryAcquire();
}

/** Notes what the log and `newest/` hold in the state, without delivering anything. */
async function learnNewest(connection: Connection, signal: AbortSignal): Promise<void> {
  const { state, log } = connection.parts!;
  const obstacles = [
    ...await learnLog(connection, signal),
    ...await learnKept(connection.parts!, signal),
  ];
  const obstacle = obstacleOf(connection, obstacles);
  if (obstacle) throw obstacle;
  signal.throwIfAborted();
  state.noteClockOffset(log.clockOffset);
}

/**
 * Notes the updates in `newest/` that are unknown here. If there are none, this takes LISTs only.
 */
async function learnKept(parts: Parts, signal: AbortSignal): Promise<readonly Obstacle[]> {
  const { state } = parts;
  const options = {
    known: (url: string, limit: number) => state.newest.knownPage(url, limit),
    looksTwice: state.fact("restored") === undefined,
    signal,
  };
  const receivers = new Receivers({ ...parts, plugins: [], callbackTimeout: 0, forced: signal });
  const context = { ...parts, receivers, budget: new ReadingBudget(), signal };
  const restorer = new Restorer(context, { onlyNotes: true });
  for await (const missing of findMissingFeeds(parts, options)) await restorer.restore(missing);
  return restorer.obstacles;
}

/** The first obstacle that is not given up yet. */
function obstacleOf(
  connection: Connection,
  obstacles: readonly Obstacle[],
): Obstacle | undefined {
  const { state, log } = connection.parts!;
  const since = Number(state.fact("unreadableSince") ?? 0);
  if (obstacles.length === 0) {
    if (since > 0) state.setFact("unreadableSince", 0);
    return undefined;
  }
  const now = Math.round(log.now());
  if (since === 0) state.setFact("unreadableSince", now);
  const waitedMs = since === 0 ? 0 : now - since;
  const isGivenUp = (error: Obstacle) =>
    waitedMs > (isLocked(error) ? LOCKED_LIVES : 1) * patienceOf(connection.config);
  return obstacles.find((error) => !isGivenUp(error));
}
