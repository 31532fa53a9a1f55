/**
 * Deletes old updates.
 *
 * @module
 */
import { parseDuration } from "./base/duration.ts";
import { connectionOf, type FeedSync } from "./connection.ts";
import { cleanUp, type CleanupReport, problemsOf } from "./retention/clean_up.ts";
import type { State } from "./state/state.ts";

/** Minimum of `maxAge`: a write that was reported as failed may still take effect later. */
export const MIN_AGE_MS: number = 10 * 60 * 1000;

/** Options of {@linkcode cleanup}. */
export interface CleanupOptions {
  /**
   * Updates older than this are deleted: `"24h"`, or milliseconds; at least 10 minutes.
   * @default the `retention` of the configuration, or a day when there is none
   */
  readonly maxAge?: string | number | undefined;
  /** Delete nothing, only report what would be deleted. @default false */
  readonly dryRun?: boolean | undefined;
  /** Ends the cleanup early; objects deleted by then stay deleted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes old updates of all servers. Age is measured by the store's clock. It is safe to run on
 * every server, also in parallel and at any time: the rest of a stream has no hole.
 *
 * @example
 * ```ts
 * import { cleanup, connect } from "@feedsync/feedsync";
 *
 * await using sync = await connect({ store: `file:${await Deno.makeTempDir()}` });
 * const report = await cleanup(sync, { maxAge: "24h", dryRun: true });
 * console.log(report.deleted); // 0
 * ```
 *
 * @throws {RangeError} when `maxAge` is less than 10 minutes.
 * @throws {StoreUnavailableError} when the store cannot be reached.
 * @throws {AccessDeniedError} when the store refuses.
 * @throws {ClosedError} when the connection is closed, or is closed meanwhile.
 */
export async function cleanup(
  sync: FeedSync,
  { maxAge, dryRun, signal }: CleanupOptions = {},
): Promise<CleanupReport> {
  return await cleanUpWithState(sync, { maxAge, dryRun, signal });
}

/** {@linkcode cleanup}, but with a given state, which knows the newest update of each feed. */
export async function cleanUpWithState(
  sync: FeedSync,
  { maxAge, dryRun, signal }: CleanupOptions,
  state: Pick<State, "newest"> | undefined = connectionOf(sync).parts?.state,
): Promise<CleanupReport> {
  const connection = connectionOf(sync);
  const { parts, config } = connection;
  const age = parseDuration(maxAge ?? (config.retention || "24h"));
  if (age < MIN_AGE_MS) {
    throw new RangeError(
      `Cannot clean up: 'maxAge' must be at least 10 minutes: current value is ${maxAge ?? age}`,
    );
  }
  if (!parts) return NOTHING;
  return await connection.run(signal, (signal) =>
    cleanUp(parts.log, {
      maxAge: age,
      dryRun,
      known: (url) => state?.newest.get(url),
      sweepAll: true,
      signal,
      problems: problemsOf(parts.environment),
    }));
}

/** The report when feedsync is disabled. */
const NOTHING: CleanupReport = {
  deleted: 0,
  bytes: 0,
  deletedUnread: 0,
  carried: 0,
  swept: 0,
  departed: 0,
  kept: 0,
  locked: 0,
  failed: 0,
  undated: 0,
  foreign: 0,
  keys: [],
};
