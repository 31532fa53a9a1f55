/**
 * `feedsync feeds`: lists feeds.
 *
 * @module
 */
import { parseDuration } from "../../base/duration.ts";
import { messageOf } from "../../errors.ts";
import { shownUrl } from "../../feed_url.ts";
import { feedsWithState } from "../../feeds.ts";
import type { FeedInfo } from "../../reading/lookup/list_feeds.ts";
import type { CommandContext } from "../command.ts";
import { UsageError } from "../exit.ts";
import { print, printJson } from "../output.ts";
import { loadSettings } from "../settings.ts";
import { connectToLookUp, openStateIfThere } from "../lookup.ts";

/** Minimum width of the columns for servers and sizes. */
const SERVER_WIDTH = 12, SIZE_WIDTH = 9;

/** Prints a line for each feed, as soon as it is known. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const since = ageOf(args.value("since")), json = args.has("json");
  const settings = await loadSettings(args);
  await using sync = await connectToLookUp(settings);
  if (!sync.enabled) return;
  using state = openStateIfThere(settings, "the whole log is read instead");
  if (!json && Deno.stdout.isTerminal()) await print(columns("updated", "server", "bytes", "URL"));
  const wanted = { since, server: args.value("by"), signal };
  for await (const feed of feedsWithState(sync, wanted, state)) {
    await (json ? printJson(feed) : print(lineOf(feed)));
  }
}

function ageOf(text: string | undefined): number | undefined {
  try {
    return text === undefined ? undefined : parseDuration(text);
  } catch (cause) {
    throw new UsageError(`Cannot use --since: ${messageOf(cause)}`, { cause });
  }
}

function lineOf({ url, time, server = "-", removed, size }: FeedInfo): string {
  const bytes = removed ? "removed" : size?.toLocaleString("en") ?? "-";
  return columns(`${time.slice(0, "2026-01-01T00:00:00".length)}Z`, server, bytes, shownUrl(url));
}

function columns(time: string, server: string, size: string, url: string): string {
  const width = "2026-01-01T00:00:00Z".length;
  const cells = [time.padEnd(width), server.padEnd(SERVER_WIDTH), size.padStart(SIZE_WIDTH), url];
  return cells.join("  ");
}
