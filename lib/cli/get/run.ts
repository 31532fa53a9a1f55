/**
 * `feedsync get`: prints the newest content of a feed.
 *
 * @module
 */
import { printable } from "../../base/printable.ts";
import { print, printBytes } from "../../base/stdout.ts";
import type { FeedSync } from "../../connection.ts";
import { normalizeFeedUrl, shownUrl } from "../../feed_url.ts";
import { newestWithState } from "../../newest.ts";
import type { State } from "../../state/state.ts";
import { contentBytes, type Update, updateToJson } from "../../update.ts";
import type { CommandContext } from "../command.ts";
import { BadInputError } from "../exit.ts";
import { loadSettings } from "../settings.ts";
import { connectToLookUp, openStateIfThere } from "../lookup.ts";
import { findSimilar } from "./find_similar.ts";
import { writeOutput } from "./write_output.ts";

/** Prints the newest content, or writes it to a file. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const settings = await loadSettings(args);
  await using sync = await connectToLookUp(settings);
  if (!sync.enabled) return;
  using state = openStateIfThere(settings, "the whole log is read instead");
  const [url] = args.operands, file = args.value("output"), json = args.has("json");
  const update = await newestWithState(sync, url, { signal }, state);
  if (!update) {
    normalizeFeedUrl(url, { schemes: settings.config.urlSchemes }); // Throws if the URL is invalid.
    throw await unknownFeed(sync, url, { state, signal });
  }
  if (json) {
    const line = JSON.stringify(updateToJson(update));
    return await (file === undefined ? print(line) : writeOutput(file, `${printable(line)}\n`));
  }
  const bytes = contentOf(update);
  if (file !== undefined) await writeOutput(file, bytes);
  else if (Deno.stdout.isTerminal()) await printText(bytes);
  else await printBytes(bytes);
}

function contentOf(update: Update): Uint8Array {
  const bytes = contentBytes(update);
  if (bytes) return bytes;
  const { url, server, time } = update;
  throw new BadInputError(`The feed ${shownUrl(url)} is gone: ${server} said so at ${time}`);
}

async function unknownFeed(
  sync: FeedSync,
  url: string,
  where: { readonly state: State | undefined; readonly signal: AbortSignal },
): Promise<BadInputError> {
  const similar = await findSimilar(sync, url, where);
  const hint = similar === undefined
    ? "see `feedsync feeds`"
    : `did you mean ${JSON.stringify(shownUrl(similar))}?`;
  return new BadInputError(`No server has published the feed ${shownUrl(url)}, ${hint}`);
}

/**
 * Prints content to a terminal. Control characters are escaped, since the content is untrusted.
 *
 * @throws {BadInputError} when the content is not text.
 */
async function printText(bytes: Uint8Array): Promise<void> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BadInputError("The content is not text: write it to a file with -o FILE", { cause });
  }
  for (const line of text.replace(/\n$/, "").split(/\r?\n/)) {
    await print(line.replaceAll("\t", "    "));
  }
}
