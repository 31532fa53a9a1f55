/**
 * `feedsync publish`: publishes one update, or with `--ndjson` many.
 *
 * @module
 */
import { connect } from "../../connect.ts";
import { connectionOf, type FeedSync } from "../../connection.ts";
import { normalizeFeedUrl } from "../../feed_url.ts";
import { publish, type Receipt } from "../../publish.ts";
import type { UpdateInput } from "../../update.ts";
import type { Arguments, CommandContext } from "../command.ts";
import { UsageError } from "../exit.ts";
import { print, printJson } from "../output.ts";
import { metadataOf, readContent, sourceOf } from "./read_update.ts";
import { explainStore, loadSettings, logger } from "../settings.ts";

/** Publishes the update in the arguments. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  if (args.has("ndjson")) return await publishInBulk(args, signal);
  if (args.operands.length === 0) throw new UsageError("URL is missing");
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

/** Publishes all lines of standard input. */
async function publishInBulk(args: Arguments, signal: AbortSignal): Promise<void> {
  const other = ["remove", "json-content"].find((name) => args.has(name)) ??
    (args.list("metadata").length > 0 ? "metadata" : undefined);
  if (other) throw new UsageError(`Cannot use --${other} with --ndjson: the lines say that`);
  if (args.operands.length > 0) throw new UsageError("Cannot use a URL with --ndjson");
  const settings = await loadSettings(args);
  await using sync = await connect(settings.config, settings);
  explainStore(sync, settings);
  const { publishLines } = await import("./ndjson.ts");
  const options = { ifChanged: args.has("if-changed"), signal };
  await publishLines(sync, Deno.stdin.readable, options);
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
