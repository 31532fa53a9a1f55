/**
 * `feedsync publish`: publishes one update.
 *
 * @module
 */
import { connect } from "../../connect.ts";
import { connectionOf, type FeedSync } from "../../connection.ts";
import { normalizeFeedUrl } from "../../feed_url.ts";
import { publish, type Receipt } from "../../publish.ts";
import type { UpdateInput } from "../../update.ts";
import type { CommandContext } from "../command.ts";
import { print, printJson } from "../output.ts";
import { metadataOf, readContent, sourceOf } from "./read_update.ts";
import { explainStore, loadSettings, logger } from "../settings.ts";

/** Publishes the update in the arguments. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const source = sourceOf(args, { stdinIsTerminal: Deno.stdin.isTerminal() });
  const metadata = metadataOf(args);
  const settings = await loadSettings(args);
  // Checked before standard input is read, which may take long.
  const url = normalizeFeedUrl(args.operands[0], { schemes: settings.config.urlSchemes });
  const content = await readContent(source, { json: args.has("json-content"), signal });
  await using sync = await connect(settings.config, settings);
  explainStore(sync, settings);
  const options = { ifChanged: args.has("if-changed"), signal };
  const receipt = await publishOne(sync, { url, metadata, ...content }, options);
  await (args.has("json") ? printJson(receipt) : print(describe(receipt)));
}

async function publishOne(
  sync: FeedSync,
  update: UpdateInput,
  options: { readonly ifChanged: boolean; readonly signal: AbortSignal },
): Promise<Receipt> {
  try {
    return await publish(sync, update, options);
  } catch (error) {
    if (options.signal.aborted && !connectionOf(sync).parts?.state.isInMemory) {
      logger.warn(
        "Stopped before the store answered; the next command that uses this state uploads " +
          "queued updates",
      );
    }
    await sync.close(); // If the update is lost, this throws the error to report.
    throw error;
  }
}

function describe(receipt: Receipt): string {
  if (receipt.status !== "published") return `${receipt.status} ${receipt.url}`;
  return `published ${receipt.url} as ${receipt.stream}/${receipt.seq}`;
}
