/**
 * `feedsync cleanup`: deletes old updates.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { cleanUpWithState, MIN_AGE_MS } from "../../cleanup.ts";
import type { CleanupReport } from "../../retention/clean_up.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { resolveConfig } from "../../config/resolve.ts";
import { connect } from "../../connect.ts";
import { systemEnvironment } from "../../base/environment.ts";
import { formatDuration, parseDuration } from "../../base/duration.ts";
import { AccessDeniedError, messageOf, StateError, StoreUnavailableError } from "../../errors.ts";
import { State } from "../../state/state.ts";
import type { CommandContext } from "../command.ts";
import { UsageError } from "../exit.ts";
import { print, printJson } from "../output.ts";
import { explainStore, loadSettings } from "../settings.ts";

const logger = getLogger(["feedsync", "cleanup"]);

/** Deletes, or lists, objects older than the arguments or the configuration say. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const maxAge = maxAgeOf(args.value("max-age"));
  const dryRun = args.has("dry-run");
  const settings = await loadSettings(args);
  if (maxAge === undefined && settings.config.retention === false) {
    throw new UsageError("--max-age is missing: the configuration keeps updates for ever");
  }
  const config = { ...settings.config, state: ":memory:", encryption: undefined };
  await using sync = await connect(config, settings);
  explainStore(sync, settings);
  using state = openState(settings);
  const report = await cleanUpWithState(sync, { maxAge, dryRun, signal }, state);
  const { error, ...counts } = report;
  if (args.has("json")) await printJson(counts);
  else await printReport(report, dryRun);
  if (error) throw failure(error, report.failed);
}

/**
 * Opens the state of `watch`, if it belongs to this store: it knows for which objects this server
 * waits.
 */
function openState(settings: LoadedConfig): State | undefined {
  const { state: path, server, store, movedFrom } = resolveConfig(settings.config, settings);
  try {
    Deno.statSync(path);
  } catch {
    return undefined;
  }
  try {
    return new State(path, { server, store, movedFrom }, systemEnvironment.random);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    logger.warn("{message}; objects that this server cannot read are deleted like all others", {
      message: messageOf(error),
    });
    return undefined;
  }
}

/** An error of the same kind as that of the first object. */
function failure(error: Error, failed: number): Error {
  const message = `Cannot delete ${failed} objects, the next cleanup tries again: ${error.message}`;
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
  const { deleted, bytes, deletedUnread, kept, undated, foreign } = report;
  const unread = deletedUnread > 0 ? `, ${deletedUnread} of which were never read here` : "";
  const ageless = undated > 0 ? ` (${undated} of unknown age)` : "";
  const strangers = foreign > 0 ? `, ignored ${foreign} that are not of feedsync` : "";
  await print(
    `${
      dryRun ? "would delete" : "deleted"
    } ${deleted} objects (${bytes} bytes)${unread}, kept ${kept}` +
      ageless + strangers,
  );
}
