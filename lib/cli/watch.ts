/**
 * `feedsync watch`: applies what other servers publish, and publishes feed files.
 *
 * @module
 */
import { DEFAULTS } from "../config/defaults.ts";
import type { LoadedConfig } from "../config/load.ts";
import { connect } from "../connect.ts";
import { connectionOf, type FeedSync } from "../connection.ts";
import { pollRange } from "../config/poll_range.ts";
import { formatDuration } from "../base/duration.ts";
import { sleep, systemEnvironment } from "../base/environment.ts";
import { knownFiles } from "../files/state_ledger.ts";
import type { RunningPlugin } from "../plugin.ts";
import { flush } from "../publish.ts";
import { type Watcher, watchWith } from "../watch.ts";
import { watchFiles } from "../watch_files.ts";
import type { Syntax } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { BadInputError } from "./exit.ts";
import { surviveLeftovers } from "./leftovers.ts";
import { stopWithOutput } from "./output.ts";
import { collectRegularly } from "./memory.ts";
import { loadPluginsFor } from "./plugins.ts";
import { named, pollOnce } from "./poll_once.ts";
import { explainStore, loadSettings, logger } from "./settings.ts";
import { orAborted } from "./signals.ts";
import { countDeadLetters, tellDeadLetters, tellStatus, tellStatusRegularly } from "./status.ts";

/** Its arguments. */
export const syntax: Syntax = { values: ["files"], switches: ["once", "remove-missing"] };

/** Feed files are not held up longer than this by a store or plugin that hangs, in milliseconds. */
const FIRST_POLL_LIMIT = 30_000;

/** Watches until it is stopped; with `--once` applies and publishes what there is. */
export async function run({ args, signal, stop }: CommandContext): Promise<void> {
  const manual = args.has("once");
  const directory = args.value("files");
  const settings = await loadSettings(
    args,
    directory === undefined ? {} : { files: { directory } },
  );
  await using sync = await connect(settings.config, settings);
  explainStore(sync, settings);
  if (!sync.enabled) return;
  using _ = surviveLeftovers();
  const known = knownFiles(connectionOf(sync).parts!);
  const loading = loadPluginsFor(settings, { json: args.has("json"), knownFiles: known });
  const loaded = await orAborted(loading, signal); // A setup may hang.
  announce(sync, settings, loaded);
  tellDeadLetters(countDeadLetters(sync));
  const plugins = loaded.map((plugin) => stopWithOutput(plugin, stop));
  const outagePatienceMs = manual ? connectionOf(sync).config.callbackTimeout : undefined;
  await using watcher = watchWith(sync, plugins, { signal, manual, outagePatienceMs });
  const publishRemovals = args.has("remove-missing") ? "all" : undefined;
  await (manual ? once : continuously)(sync, watcher, { signal, settings, publishRemovals });
  await watcher.close();
  const deadLetters = countDeadLetters(sync);
  await sync.close();
  tellStatus(sync, deadLetters);
}

interface Run {
  readonly signal: AbortSignal;
  readonly settings: LoadedConfig;
  readonly publishRemovals: "all" | undefined;
}

/** What arrived is applied before files are looked at, and files are looked at whatever arrived. */
async function once(
  sync: FeedSync,
  watcher: Watcher,
  { signal, settings, publishRemovals }: Run,
): Promise<void> {
  let failed: readonly string[] = [];
  try {
    await pollOnce(watcher, signal);
  } finally {
    await using files = settings.config.files &&
      watchFiles(sync, undefined, { manual: true, publishRemovals });
    const report = await files?.scan(signal);
    failed = report?.failed ?? [];
  }
  await flush(sync, { signal });
  if (failed.length === 0) return;
  throw new BadInputError(`Cannot publish all feed files, the log says why: ${named(failed)}`);
}

async function continuously(
  sync: FeedSync,
  watcher: Watcher,
  { signal, settings, publishRemovals }: Run,
): Promise<void> {
  await watcher.ready;
  using _collecting = collectRegularly();
  using _telling = tellStatusRegularly(sync);
  if (settings.config.files) await firstPoll(watcher, signal);
  await using _files = settings.config.files && watchFiles(sync, undefined, { publishRemovals });
  await watcher.finished;
}

/** What is in the bucket must be known before files are compared with it. */
async function firstPoll(watcher: Watcher, signal: AbortSignal): Promise<void> {
  const limit = sleep(systemEnvironment.clock, FIRST_POLL_LIMIT, signal);
  await Promise.race([watcher.poll(), limit]).catch(() => {});
}

function announce(
  sync: FeedSync,
  { config }: LoadedConfig,
  plugins: readonly RunningPlugin[],
): void {
  logger.info("Watching {store} as {server}, polling every {poll}; {plugins}; {files}", {
    store: sync.store,
    server: sync.server,
    poll: [...new Set(Object.values(pollRange(config.poll ?? DEFAULTS.poll)))]
      .map(formatDuration).join(" to "),
    plugins: `plugins: ${plugins.map(({ name }) => name).join(", ") || "none"}`,
    files: config.files ? `feed files in ${config.files.directory}` : "no feed files",
  });
}
