/**
 * Learns what others have published: for a new state, and before a removal is published.
 *
 * @module
 */
import type { Connection } from "../connection.ts";
import { sleep } from "../base/environment.ts";
import { resolveWake } from "../config/wake.ts";
import { isLocked, type UnreadableError } from "../errors.ts";
import { FileLock } from "../state/lock.ts";
import { State } from "../state/state.ts";
import { hashOf } from "../update.ts";
import { callbackPlugin } from "../plugin.ts";
import { BucketWatcher } from "./bucket_watcher.ts";

/**
 * How long to wait for an unreadable object if updates are kept for ever; else the retention
 * counts.
 */
const DAY_MS = 24 * 60 * 60 * 1000;

/** Delay between checks whether another process has polled. */
const LOOK_INTERVAL_MS = 500;

/**
 * Resolves to whether the state knows what others have published. If no process watches with this
 * state, or only from now on, reads the whole bucket once without moving a cursor. Otherwise the
 * watching process learns it.
 *
 * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
 * @throws {UnreadableError} when an object cannot be read and has not been given up yet.
 */
export async function restore(connection: Connection, signal: AbortSignal): Promise<boolean> {
  const { parts, config: { from } } = connection;
  if (!parts) return true;
  const { state } = parts;
  if (state.isRestored({ from, heldAfter: heldAfter(connection) })) return true;
  if (from === "earliest" && isWatched(state)) return false;
  await learnNewest(connection, signal);
  state.setFact("restored", 1);
  return true;
}

/**
 * Resolves when the state knows everything that others have published so far.
 *
 * @throws {StoreUnavailableError | AccessDeniedError | UnreadableError} as {@linkcode restore}.
 */
export async function catchUp(connection: Connection, signal: AbortSignal): Promise<void> {
  const { parts, watcher } = connection;
  if (!parts) return;
  const { state } = parts;
  if (watcher) await watcher.poll();
  else if (isWatched(state)) await nextPoll(connection, signal);
  else await learnNewest(connection, signal);
  if (!state.cursors.hasUnread(state.ownStream.load().stream, heldAfter(connection))) return;
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
function heldAfter({ parts, config: { retention } }: Connection): number {
  const { log } = parts!;
  return log.now() - (retention === false ? DAY_MS : retention);
}

function isWatched(state: State): boolean {
  if (state.path === ":memory:") return false;
  using lock = new FileLock(`${state.path}.watch.lock`);
  return !lock.tryAcquire();
}

/** Reads the whole bucket into the state, as a new server would. */
async function learnNewest(connection: Connection, signal: AbortSignal): Promise<void> {
  const { state, log, environment } = connection.parts!;
  const owner = { server: connection.server, store: log.url };
  using memory = new State(":memory:", owner, environment.random);
  const apart = {
    from: "earliest",
    includeOwn: true,
    wake: resolveWake(),
    plugins: [],
  } as const;
  const reader = connection.beside(apart, memory);
  try {
    const noteNewest = callbackPlugin(({ url, id, time, ...content }) => {
      const version = { id, time: Date.parse(time), hash: hashOf(content) };
      state.transaction(() => state.newest.note(url, version), { durable: false });
    });
    const options = { manual: true, signal };
    await using watcher = new BucketWatcher(reader, () => Promise.resolve([noteNewest]), options);
    const { unreadable } = await watcher.poll();
    const obstacle = obstacleOf(connection, unreadable);
    if (obstacle) throw obstacle;
    signal.throwIfAborted();
    state.noteClockOffset(log.clockOffset);
  } finally {
    await reader.parts!.uploader.close({ timeoutMs: 0 });
  }
}

/**
 * The error to report: damaged objects are given up eventually, but a missing key or upgrade never
 * is.
 */
function obstacleOf(
  connection: Connection,
  unreadable: readonly UnreadableError[],
): UnreadableError | undefined {
  const { state, log } = connection.parts!;
  const since = Number(state.fact("unreadableSince") ?? 0);
  if (unreadable.length === 0) {
    if (since > 0) state.setFact("unreadableSince", 0);
    return undefined;
  }
  if (since === 0) state.setFact("unreadableSince", Math.round(log.now()));
  const isGivenUp = since > 0 && since < heldAfter(connection);
  return unreadable.find((error) => isLocked(error) || !isGivenUp);
}
