/**
 * `feedsync restore`: delivers the newest updates to the plugins again.
 *
 * @module
 */
import { abortable } from "../../base/deadline.ts";
import { suggest } from "../../base/nearest.ts";
import { connect } from "../../connect.ts";
import { connectionOf } from "../../connection.ts";
import { ConfigError, isLocked, messageOf } from "../../errors.ts";
import { shownUrl } from "../../feed_url.ts";
import { knownFiles } from "../../files/state_records.ts";
import type { RestoreReport } from "../../reading/watcher.ts";
import { restoreWith } from "../../restore.ts";
import type { CommandContext } from "../command.ts";
import { BadInputError, deadLettersError, UsageError } from "../exit.ts";
import { surviveLeftovers } from "../leftovers.ts";
import { stopWithOutput } from "../output.ts";
import { loadPluginsFor } from "../plugins.ts";
import { named } from "../poll_once.ts";
import { ProgressLine } from "../progress.ts";
import { explainStore, loadSettings, logger } from "../settings.ts";

/** Restores the given feeds, or all. */
export async function run({ args, signal, stop }: CommandContext): Promise<void> {
  const settings = await loadSettings(args);
  using _ = surviveLeftovers(); // Until all is closed: the last calls leave something behind, too.
  await using sync = await connect(settings.config, settings);
  explainStore(sync, settings);
  if (!sync.enabled) return;
  using line = new ProgressLine();
  const parts = connectionOf(sync).parts!, json = args.has("json");
  const setUp = async () => {
    const loading = loadPluginsFor(settings, { json, knownFiles: knownFiles(parts) });
    const loaded = await abortable(loading, signal); // A setup may hang.
    checkPluginName(args.value("plugin"), loaded.map(({ name }) => name));
    return loaded.map((plugin) => stopWithOutput(plugin, stop));
  };
  const urls = args.operands.length > 0 ? args.operands : undefined;
  const wanted = { urls, plugin: args.value("plugin"), onProgress: line.show, signal };
  const report = await restoreWith(sync, setUp, wanted);
  line.clear();
  logger.info(report.restored === 1 ? "Restored 1 feed" : "Restored {restored} feeds", {
    restored: report.restored,
  });
  checkReport(report);
}

function checkPluginName(wanted: string | undefined, names: readonly string[]): void {
  if (wanted === undefined || names.includes(wanted)) return;
  throw new UsageError(`No plugin is called "${wanted}", ${suggest(wanted, names)}`);
}

/**
 * Checks that everything was restored.
 *
 * @throws {FeedSyncError | BadInputError | ConfigError} that says what was not.
 */
function checkReport({ failed, unknown, unreadable }: RestoreReport): void {
  if (failed > 0) throw deadLettersError("restore", failed);
  const locked = unreadable.find(isLocked);
  if (locked) throw new ConfigError(`Cannot restore everything: ${messageOf(locked)}`);
  if (unreadable.length > 0) {
    const keys = named(unreadable.map(({ key }) => key));
    throw new BadInputError(
      `Cannot restore everything: these objects are damaged, and an older update of their feeds ` +
        `was restored, or none: ${keys}`,
    );
  }
  if (unknown.length === 0) return;
  throw new BadInputError(`No server has published ${named(unknown.map(shownUrl))}`);
}
