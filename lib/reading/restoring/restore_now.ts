/**
 * Restoring because somebody asks for it: beside a running watcher, or without one.
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
 * Delivers the newest update of each feed, or of some, whether or not the plugins have had it. The plugins of the
 * watcher get it if this connection has one; otherwise `plugins` sets some up, which are closed in the end.
 *
 * @throws {TypeError} when there is no plugin of the name that is asked for.
 * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
 * @throws {BackendUnavailableError | FeedSyncError} when a plugin cannot be set up, or stops working.
 * @throws {ClosedError} when the connection gets closed meanwhile.
 */
export async function restoreNow(
  connection: Connection,
  plugins: () => Promise<readonly RunningPlugin[]>,
  request: RestoreRequest = {},
): Promise<RestoreReport> {
  const { parts, watcher, closed } = connection;
  if (!parts) return NOTHING;
  if (watcher instanceof BucketWatcher) return await watcher.restore(request);
  const signal = AbortSignal.any([closed, ...request.signal ? [request.signal] : []]);
  return await connection.keepOpen(
    restoreAlone(connection, parts, plugins, { ...request, signal }),
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
