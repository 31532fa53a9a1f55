/**
 * `feedsync checked`: tells what came of fetching a feed.
 *
 * @module
 */
import { checked } from "../../checked.ts";
import { connect } from "../../connect.ts";
import { normalizeFeedUrl, shownUrl } from "../../feed_url.ts";
import type { CheckedFeed } from "../../fleet/turns/outcome.ts";
import type { CommandContext } from "../command.ts";
import { print, printJson } from "../output.ts";
import { explainStore, loadSettings } from "../settings.ts";
import { readOutcome } from "./read_outcome.ts";

/** Tells the outcome in the arguments, and prints what follows. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const settings = await loadSettings(args);
  // Checked before standard input is read, which may take long.
  const url = normalizeFeedUrl(args.operands[0], { schemes: settings.config.urlSchemes });
  const outcome = await readOutcome(args, signal);
  await using sync = await connect(settings.config, settings);
  explainStore(sync, settings);
  const result = await checked(sync, url, outcome, { signal });
  await (args.has("json") ? printJson(result) : print(describe(result)));
}

function describe({ url, next, movedTo, gone }: CheckedFeed): string {
  const moved = movedTo === undefined ? "" : `, moved permanently to ${shownUrl(movedTo)}`;
  return `checked ${url}, next at ${next}${moved}${gone ? ", gone for good" : ""}`;
}
