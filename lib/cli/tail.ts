/**
 * `feedsync tail`: prints updates and leaves no trace.
 *
 * @module
 */
import type { Config } from "../config/config.ts";
import { connect } from "../connect.ts";
import { watchWith } from "../watch.ts";
import type { Syntax } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { surviveLeftovers } from "./leftovers.ts";
import { printer, stopWithOutput } from "./output.ts";
import { pollOnce } from "./poll_once.ts";
import { explainStore, loadSettings } from "./settings.ts";

/** Its arguments. */
export const syntax: Syntax = { values: ["from"], switches: ["once"] };

/** Prints updates until it is stopped; with `--once` those that are there. */
export async function run({ args, signal, stop }: CommandContext): Promise<void> {
  const manual = args.has("once");
  const settings = await loadSettings(args, {
    state: ":memory:",
    from: args.value("from") as Config["from"],
  });
  const silent = { retention: false, listen: undefined, wake: [], peers: [] } as const;
  const config = { ...settings.config, ...silent };
  await using sync = await connect(config, settings);
  explainStore(sync, settings);
  using _ = surviveLeftovers();
  await using watcher = watchWith(sync, [stopWithOutput(printer, stop)], { signal, manual });
  await (manual ? pollOnce(watcher, signal) : watcher.finished);
}
