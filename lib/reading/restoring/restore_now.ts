/**
 * Restores on request, with or without a running watcher.
 *
 * @module
 */
import { Deadline } from "../../base/deadline.ts";
import type { Connection, Parts } from "../../connection.ts";
import type { RunningPlugin } from "../../plugin.ts";
import { closePlugins, setUpPlugins } from "../../plugins/lifecycle.ts";
import { BucketWatcher } from "../bucket_watcher.ts";
import { ReadingBudget } from "../reading_budget.ts";
import { Receivers } from "../receivers.ts";
import { RestoreAgain, type RestoreRequest } from "./restore_again.ts";
import type { RestoreReport } from "../watcher.ts";

export type { RestoreRequest } from "./restore_again.ts";

const NOTHING: RestoreReport = { restored: 0, failed: 0, unknown: [], unreadable: [] };

/**
 * Delivers the newest update of all or some feeds, even if the plugins have already received it.
 * Uses the plugins of this connection's watcher; without one, sets up `plugins` and closes them at
 * the end.
 *
 * @throws {TypeError} when no plugin has the given name.
 * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
 * @throws {BackendUnavailableError | FeedSyncError} when a plugin cannot be set up, or no longer
 * works.
 * @throws {ClosedError} when the connection is closed meanwhile.
 */
export async function restoreNow(
  connection: Connection,
  plugins: () => Promise<readonly RunningPlugin[]>,
  request: RestoreRequest = {},
): Promise<RestoreReport> {
  const { parts, watcher } = connection;
  if (!parts) return NOTHING;
  if (watcher instanceof BucketWatcher) return await watcher.restore(request);
  return await connection.run(
    request.signal,
    (signal) => restoreAlone(connection, parts, plugins, { ...request, signal }),
  );
}

async function restoreAlone(
  { config }: Connection,
  { state, log, environment, feedLocks }: Parts,
  plugins: () => Promise<readonly RunningPlugin[]>,
  request: RestoreRequest & { readonly signal: AbortSignal },
): Promise<RestoreReport> {
  const { callbackTimeout, stopTimeout } = config, { signal, onProgress } = request;
  const { clock } = environment;
  using forced = new Deadline(clock, signal, { graceMs: stopTimeout });
  const running = await setUpPlugins(plugins, {
    environment,
    signal,
    timeoutMs: stopTimeout,
    patienceMs: callbackTimeout,
  });
  try {
    const receivers = new Receivers({
      ...{ state, environment, feedLocks, plugins: running, callbackTimeout },
      forced: forced.signal,
      outagePatienceMs: callbackTimeout,
    });
    const budget = new ReadingBudget();
    const context = { state, log, environment, receivers, budget, signal, onProgress };
    return await new RestoreAgain(context, request).run();
  } finally {
    await closePlugins(running, { clock, timeoutMs: stopTimeout });
  }
}
