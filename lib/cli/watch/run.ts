/**
 * `feedsync watch`: applies what other servers publish, and publishes feed files.
 *
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { connect } from "../../connect.ts";
import { connectionOf, type FeedSync } from "../../connection.ts";
import { pollRange } from "../../config/core.ts";
import { formatDuration } from "../../base/duration.ts";
import { abortable } from "../../base/deadline.ts";
import { sleep, systemEnvironment } from "../../base/environment.ts";
import { BackendUnavailableError } from "../../errors.ts";
import { hidePasswords } from "../../base/redact.ts";
import { knownFiles } from "../../files/state_records.ts";
import type { RunningPlugin } from "../../plugin.ts";
import { flush } from "../../publish.ts";
import type { Watcher } from "../../reading/watcher.ts";
import { watchWith } from "../../watch.ts";
import { watchFiles, type WatchFilesOptions } from "../../watch_files.ts";
import type { CommandContext } from "../command.ts";
import { BadInputError, deadLettersError, gapsError } from "../exit.ts";
import { surviveLeftovers } from "../leftovers.ts";
import { stopWithOutput } from "../output.ts";
import { collectRegularly } from "./memory.ts";
import { loadPluginsFor } from "../plugins.ts";
import { reloader } from "./reload.ts";
import { named, pollOnce } from "../poll_once.ts";
import { ProgressLine } from "../progress.ts";
import { explainStore, loadSettings, logger } from "../settings.ts";
import {
  countDeadLetters,
  logComplete,
  logStatus,
  logStatusRegularly,
  warnOfDeadLetters,
} from "./status.ts";

/** Maximum delay before feed files are published, even if the store or a plugin hangs. */
const FIRST_POLL_LIMIT_MS = 30_000;

/**
 * Watches until stopped, which is its regular end if everything could be uploaded; with `--once`
 * applies and publishes everything that is new, and ends.
 */
export async function run(
  { args, signal, stop, onHangup }: CommandContext,
): Promise<number | void> {
  const manual = args.has("once");
  const directory = args.value("files");
  const load = () => loadSettings(args, directory === undefined ? {} : { files: { directory } });
  const settings = await load();
  using _ = surviveLeftovers(); // Until all is closed: the last calls leave something behind, too.
  await using sync = await connect(settings.config, settings);
  explainStore(sync, settings);
  if (!sync.enabled) return;
  using _collecting = collectRegularly(sync.requests);
  const connection = connectionOf(sync), parts = connection.parts!, json = args.has("json");
  const setUp = async () => {
    const known = { knownFiles: knownFiles(parts), knownPlugins: parts.state.watchedPlugins() };
    const loading = loadPluginsFor(settings, { json, ...known });
    const loaded = await abortable(loading, signal); // Loading a plugin may hang.
    announce(sync, settings, loaded);
    warnOfDeadLetters(countDeadLetters(sync));
    return loaded.map((plugin) => stopWithOutput(plugin, stop));
  };
  if (!manual) onHangup(reloader(connection, settings.config, load));
  using line = new ProgressLine();
  await using watcher = watchWith(sync, setUp, { signal, manual, onProgress: line.show });
  logComplete(sync, watcher);
  const publishRemovals = args.has("remove-missing") ? "all" : undefined;
  const files = { publishRemovals, publishReceived: args.has("publish-received") } as const;
  await (manual ? once : continuously)(sync, watcher, { signal, settings, files });
  await watcher.close();
  const deadLetters = countDeadLetters(sync);
  await sync.close();
  logStatus(sync, deadLetters);
  if (!manual && connection.leftQueued === 0) return 0;
}

interface Run {
  readonly signal: AbortSignal;
  readonly settings: LoadedConfig;
  readonly files: Pick<WatchFilesOptions, "publishRemovals" | "publishReceived">;
}

/**
 * Applies updates, then scans the feed files even if that failed.
 *
 * @throws {BadInputError} when feed files cannot be published.
 * @throws {FeedSyncError} when updates became dead letters, or are lost in gaps.
 */
async function once(
  sync: FeedSync,
  watcher: Watcher,
  { signal, settings, files: options }: Run,
): Promise<void> {
  await watcher.ready.catch((error) => {
    if (!(error instanceof BackendUnavailableError)) throw error;
  });
  const { deadLetters } = connectionOf(sync).parts!.state, lastId = deadLetters.lastId();
  const failed: string[] = [];
  let gaps = 0;
  try {
    gaps = await pollOnce(watcher, signal);
  } finally {
    await using files = settings.config.files &&
      watchFiles(sync, undefined, { ...options, manual: true });
    const report = await files?.scan(signal);
    if (report) failed.push(...report.failed, ...report.unsettled, ...report.withheld);
  }
  await flush(sync, { signal });
  if (failed.length > 0) {
    const paths = hidePasswords(named(failed));
    throw new BadInputError(`Cannot publish all feed files, see the log for reasons: ${paths}`);
  }
  const kept = deadLetters.countAfter(lastId);
  if (kept > 0) throw deadLettersError("apply", kept);
  if (gaps > 0) throw gapsError(gaps);
}

async function continuously(
  sync: FeedSync,
  watcher: Watcher,
  { signal, settings, files: options }: Run,
): Promise<void> {
  using _logging = logStatusRegularly(sync);
  await using _api = await startApi(sync, settings);
  await beginning(watcher, { polls: settings.config.files !== undefined, signal });
  await using _files = settings.config.files && watchFiles(sync, undefined, options);
  await watcher.finished;
}

/** Starts the local API, whose modules are loaded only if it is configured. */
async function startApi(
  sync: FeedSync,
  { config }: LoadedConfig,
): Promise<AsyncDisposable | undefined> {
  if (!config.api) return undefined;
  const { serveApi } = await import("../../api/serve_api.ts");
  return await serveApi(sync);
}

/**
 * Waits until plugins are set up and, if there are feed files, until the bucket was read once,
 * since files are compared with it; but not longer than the limit.
 */
async function beginning(
  watcher: Watcher,
  { polls, signal }: { readonly polls: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { clock } = systemEnvironment;
  const limit = sleep(clock, FIRST_POLL_LIMIT_MS, signal).catch(() => {});
  await Promise.race([watcher.ready, limit]);
  if (polls) await Promise.race([watcher.poll(), limit]).catch(() => {});
}

function announce(
  sync: FeedSync,
  { config }: LoadedConfig,
  plugins: readonly RunningPlugin[],
): void {
  logger.info("Watching {store} as {server}, polling every {poll}; {plugins}; {files}", {
    store: sync.store,
    server: sync.server,
    poll: [...new Set(Object.values(pollRange(config.poll)))]
      .map(formatDuration).join(" to "),
    plugins: `plugins: ${plugins.map(({ name }) => name).join(", ") || "none"}`,
    files: config.files ? `feed files in ${config.files.directory}` : "no feed files",
  });
}
