/**
 * `feedsync cleanup`: deletes old updates.
 *
 * @module
 */
import { cleanUpWithState, MIN_AGE_MS } from "../../cleanup.ts";
import type { CleanupReport } from "../../retention/clean_up.ts";
import { connect } from "../../connect.ts";
import { formatDuration, parseDuration } from "../../base/duration.ts";
import {
  AccessDeniedError,
  FeedSyncError,
  messageOf,
  StoreUnavailableError,
} from "../../errors.ts";
import type { CommandContext } from "../command.ts";
import { UsageError } from "../exit.ts";
import { print, printJson } from "../output.ts";
import { explainStore, loadSettings } from "../settings.ts";
import { openStateIfThere } from "../lookup.ts";

/** Deletes, or lists, objects older than the arguments or the configuration say. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const maxAge = maxAgeOf(args.value("max-age"));
  const dryRun = args.has("dry-run");
  const settings = await loadSettings(args);
  if (maxAge === undefined && settings.config.retention === false) {
    throw new UsageError("--max-age is missing: the configuration keeps updates for ever");
  }
  const config = { ...settings.config, state: ":memory:" };
  await using sync = await connect(config, settings);
  explainStore(sync, settings);
  const follows = "without it, cleanup moves more updates to newest/ than needed";
  using state = openStateIfThere(settings, follows);
  const report = await cleanUpWithState(sync, { maxAge, dryRun, signal }, state);
  const { error, ...counts } = report;
  if (args.has("json")) await printJson(counts);
  else await printReport(report, dryRun);
  if (error) throw failure(error, report.failed);
  if (!dryRun) checkUnread(report);
}

/**
 * Checks that this server could read what has expired.
 *
 * @throws {FeedSyncError} when it could not: only a person can give it a key, or upgrade it.
 */
function checkUnread({ locked, deletedUnread }: CleanupReport): void {
  const kept = locked > 0 ? [`${locked} expired objects are kept`] : [];
  const gone = deletedUnread > 0 ? [`${deletedUnread} were deleted unread`] : [];
  const counts = [...kept, ...gone].join(" and ");
  if (counts === "") return;
  throw new FeedSyncError(
    `This server cannot read everything, ${counts}: see the log for the missing key or upgrade`,
  );
}

/** An error of the same class as the first one. */
function failure(error: Error, failed: number): Error {
  const message =
    `Cannot clean up ${failed} objects, the next cleanup tries again: ${error.message}`;
  const options = { cause: error };
  return error instanceof AccessDeniedError
    ? new AccessDeniedError(message, options)
    : new StoreUnavailableError(message, options);
}

function maxAgeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = readAge(text);
  if (ms >= MIN_AGE_MS) return ms;
  throw new UsageError(
    `--max-age must be at least ${formatDuration(MIN_AGE_MS)}: current value is ${text}`,
  );
}

function readAge(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new UsageError(`Cannot use --max-age: ${messageOf(cause)}`, { cause });
  }
}

async function printReport(report: CleanupReport, dryRun: boolean): Promise<void> {
  if (dryRun) { for (const key of report.keys) await print(key); }
  const { deleted, bytes, deletedUnread, kept, locked, undated, foreign } = report;
  const unread = deletedUnread > 0 ? `, ${deletedUnread} of which were never read here` : "";
  const waiting = locked > 0 ? ` (${locked} cannot be read here)` : "";
  const ageless = undated > 0 ? ` (${undated} of unknown age)` : "";
  const strangers = foreign > 0 ? `, ignored ${foreign} that are not of feedsync` : "";
  await print(
    `${dryRun ? "would delete" : "deleted"} ${deleted} objects (${bytes} bytes)${unread}` +
      `, kept ${kept}${waiting}${ageless}${strangers}`,
  );
  await printNewest(report, dryRun);
}

/** Prints what happened in `newest/`, and its size. */
async function printNewest(
  { carried, swept, newest }: CleanupReport,
  dryRun: boolean,
): Promise<void> {
  if (!newest || carried + swept + newest.objects === 0) return;
  const verb = dryRun ? "would move" : "moved";
  const deleted = dryRun ? "delete" : "deleted";
  await print(
    `${verb} ${carried} updates to newest/ and ${deleted} ${swept} older ones there; ` +
      `newest/ holds ${newest.objects} (${newest.bytes} bytes)`,
  );
}
