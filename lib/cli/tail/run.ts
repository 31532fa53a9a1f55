/**
 * `feedsync tail`: prints updates without storing a state.
 *
 * @module
 */
import type { CoreConfig } from "../../config/core.ts";
import { connect } from "../../connect.ts";
import { watchWith } from "../../watch.ts";
import type { CommandContext } from "../command.ts";
import { gapsError } from "../exit.ts";
import { surviveLeftovers } from "../leftovers.ts";
import { printer, stopWithOutput } from "../output.ts";
import { pollOnce } from "../poll_once.ts";
import { explainStore, loadSettings } from "../settings.ts";

/** Prints updates until stopped, which is its regular end; with `--once` only the existing ones. */
export async function run({ args, signal, stop }: CommandContext): Promise<number | void> {
  const manual = args.has("once");
  const settings = await loadSettings(args, {
    state: ":memory:",
    from: args.value("from") as CoreConfig["from"],
  });
  const { marker } = settings.config.wake ?? {};
  const config = { ...settings.config, retention: false, wake: { marker } } as const;
  using _ = surviveLeftovers(); // Until all is closed: the last calls leave something behind, too.
  await using sync = await connect(config, settings);
  explainStore(sync, settings);
  await using watcher = watchWith(sync, [stopWithOutput(printer, stop)], { signal, manual });
  if (!manual) {
    await watcher.finished;
    return 0;
  }
  const gaps = await pollOnce(watcher, signal);
  if (gaps > 0) throw gapsError(gaps);
}
