/**
 * Learning what others have published, for a state that does not know it yet.
 *
 * @module
 */
import type { Connection } from "../connection.ts";
import { resolveWake } from "../config/wake.ts";
import { MissingKeyError } from "../errors.ts";
import { FileLock } from "../state/lock.ts";
import { State } from "../state/state.ts";
import { hashOf } from "../update.ts";
import { watch } from "../watch.ts";

/**
 * Resolves to whether the state knows what others have published. Where nobody watches with it, or
 * watches from now on only, all that is in the bucket is read for this once, without moving a cursor;
 * otherwise whoever watches learns it.
 *
 * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
 * @throws {MissingKeyError} when there is no key for some of it.
 */
export async function restore(connection: Connection, signal: AbortSignal): Promise<boolean> {
  const { parts, config } = connection;
  if (!parts) return true;
  const { state } = parts;
  if (state.isRestored(config)) return true;
  if (config.from === "earliest" && isWatched(state)) return false;
  await learnNewest(connection, signal);
  state.setFact("restored", 1);
  return true;
}

function isWatched(state: State): boolean {
  if (state.path === ":memory:") return false;
  using lock = new FileLock(`${state.path}.watch.lock`);
  return !lock.tryAcquire();
}

/** Reads the whole bucket as a server without a past would. */
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
    await using watcher = watch(reader, ({ url, id, time, ...content }) => {
      const version = { id, time: Date.parse(time), hash: hashOf(content) };
      state.transaction(() => state.newest.note(url, version), { durable: false });
    }, { manual: true, signal });
    const { unreadable } = await watcher.poll();
    const missing = unreadable.find((error) => error instanceof MissingKeyError);
    if (missing) throw missing;
    signal.throwIfAborted();
    state.noteClockOffset(log.clockOffset);
  } finally {
    await reader.parts!.uploader.close({ timeout: 0 });
  }
}
