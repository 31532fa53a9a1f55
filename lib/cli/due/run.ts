/**
 * `feedsync due`: prints the feeds that this server is to fetch now.
 *
 * @module
 */
import { formatDuration, parseDuration } from "../../base/duration.ts";
import { connect } from "../../connect.ts";
import { due, MIN_EVERY_MS } from "../../due.ts";
import { messageOf } from "../../errors.ts";
import { parseFeedList } from "../../feed_list.ts";
import { shownUrl } from "../../feed_url.ts";
import type { Turn, WaitingTurn } from "../../fleet/turns/turn.ts";
import type { Arguments, CommandContext } from "../command.ts";
import { BadInputError, UsageError } from "../exit.ts";
import { print, printJson } from "../output.ts";
import { inputName, readInput } from "../read_input.ts";
import { explainStore, loadSettings, logger } from "../settings.ts";

/** Maximum length of a list: 100,000 feeds have about 15 MB as OPML. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/** Why a feed waits, for people. */
const REASONS: Readonly<Record<WaitingTurn["reason"], string>> = {
  owner: "another server fetches it",
  fresh: "it was fetched",
  backoff: "its publisher asks to wait, or it cannot be fetched",
  leased: "this feed or another one of its domain is being fetched",
  limit: "--limit is reached",
  invalid: "its URL is invalid",
};

/** Prints whose turn it is, a line for each feed. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const every = everyOf(args), limit = limitOf(args.value("limit"));
  const files = filesOf(args, { stdinIsTerminal: Deno.stdin.isTerminal() });
  const settings = await loadSettings(args);
  const lists: string[][] = [];
  for (const file of files) lists.push(await readList(file, signal));
  await using sync = await connect(settings.config, settings);
  explainStore(sync, settings);
  // What asks in a loop until nothing is due would never end, and fetch without a pause.
  if (!sync.enabled) return;
  const urls = new Set(lists.flat());
  if (urls.size === 0) {
    logger.warn("No feed is due: there is none in {files}", { files: named(files) });
  }
  const turns = await due(sync, urls, { every, limit, signal });
  if (args.has("json")) { for (const turn of turns) await printJson(turn); }
  else for (const turn of turns) await printTurn(turn);
}

function everyOf(args: Arguments): number {
  const text = args.value("every");
  if (text === undefined) {
    throw new UsageError("--every is missing: say how often each feed is to be fetched");
  }
  const ms = readDuration(text);
  if (ms >= MIN_EVERY_MS) return ms;
  throw new UsageError(
    `--every must be at least ${formatDuration(MIN_EVERY_MS)}: current value is ${text}`,
  );
}

function readDuration(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new UsageError(`Cannot use --every: ${messageOf(cause)}`, { cause });
  }
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`--limit must be a positive whole number: current value is ${text}`);
}

function filesOf(
  { operands }: Arguments,
  { stdinIsTerminal }: { readonly stdinIsTerminal: boolean },
): readonly string[] {
  if (operands.length > 0) return [...new Set(operands)];
  if (!stdinIsTerminal) return ["-"];
  throw new UsageError("The list of feeds is missing: give a FILE, or - for standard input");
}

function named(files: readonly string[]): string {
  return files.map((file) => inputName(file)).join(", ");
}

async function readList(file: string, signal: AbortSignal): Promise<string[]> {
  const bytes = await readInput(file, { maxBytes: MAX_LIST_BYTES, signal });
  try {
    return await parseFeedList(bytes, { name: inputName(file) });
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new BadInputError(cause.message, { cause });
  }
}

/** Only what is due is printed, for `while read url`; the rest is logged. */
async function printTurn(turn: Turn): Promise<void> {
  if (turn.due) return await print(turn.url);
  const { reason, until, owner, problem } = turn;
  const url = shownUrl(turn.url);
  if (reason === "invalid") {
    return logger.warn("Ignoring an entry: {problem}", { problem: problem ?? REASONS.invalid });
  }
  logger.debug("Not due{until}: {url}, {why}", {
    ...{ url, until: until === undefined ? "" : ` until ${until}` },
    why: owner === undefined ? REASONS[reason] : `${owner} fetches it`,
  });
}
