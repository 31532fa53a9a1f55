/**
 * `feedsync cost`: estimates the cost of a fleet's requests in a month.
 *
 * @module
 */
import { pollRange, presenceMs, retentionMs } from "../../config/core.ts";
import { resolveWake } from "../../config/wake.ts";
import { suggest } from "../../base/nearest.ts";
import { dollars, type Fleet, MONTH_HOURS, type Requests, requestsIn } from "./model.ts";
import { PRICES, type Prices } from "./prices.ts";
import { formatDuration, parseDuration } from "../../base/duration.ts";
import { messageOf } from "../../errors.ts";
import type { Arguments, CommandContext } from "../command.ts";
import { UsageError } from "../exit.ts";
import { print, printJson } from "../output.ts";
import { loadSettings } from "../settings.ts";

/** Delay between polls that suffices when wake-ups announce updates. */
const RARE_POLL_MS = 5 * 60 * 1000;

/** A setup of a fleet. */
interface Way extends Pick<Fleet, "poll">, Partial<Pick<Fleet, "peers" | "marker">> {
  readonly name: string;
}

/** A setup and its cost per month. */
interface Bill extends Requests {
  readonly way: string;
  readonly dollars: number;
}

/** Prints the cost of the configured setup, and of others. */
export async function run({ args }: CommandContext): Promise<void> {
  const fleet = {
    servers: count(args, "servers"),
    updatesPerHour: count(args, "updates-per-hour"),
    feeds: args.value("feeds") === undefined ? undefined : count(args, "feeds"),
  };
  const [provider, prices] = pricesOf(args.value("provider") ?? "aws");
  const { config } = await loadSettings(args);
  const { peers: urls, token, queues, marker } = resolveWake(config.wake);
  const peers = urls === "auto" || urls.length > 0;
  const isWoken = peers || token !== undefined || queues.length > 0;
  const poll = pollOf(args.value("poll")) ?? pollRange(config.poll)[isWoken ? "max" : "min"];
  const retention = retentionMs(config.retention), presence = presenceMs(config.presence);
  const turns = args.has("turns"), findsPeers = urls === "auto";
  const configured = [peers ? "peers, " : isWoken ? "events, " : "", marker ? "marker, " : ""];
  const ways: Way[] = [
    { name: `as configured: ${configured.join("")}`, poll, peers, marker },
    { name: "", poll: 6 * poll },
    { name: "marker, ", poll, marker: true },
    { name: "events of the bucket, ", poll: RARE_POLL_MS },
    { name: "peers, ", poll: RARE_POLL_MS, peers: true },
  ];
  const bills = ways.map(({ name, ...way }) =>
    billFor(
      `${name}polling every ${formatDuration(way.poll)}`,
      { ...fleet, peers: false, ...way, retention, presence, turns, findsPeers },
      prices,
    )
  );
  if (args.has("json")) { for (const bill of bills) await printJson({ ...bill, provider }); }
  else for (const line of [...table(bills), "", ...explain(provider, prices)]) await print(line);
}

function billFor(way: string, fleet: Fleet, prices: Prices): Bill {
  const { put, get, list } = requestsIn(MONTH_HOURS, fleet);
  const requests = { put: Math.round(put), get: Math.round(get), list: Math.round(list) };
  return { way, ...requests, dollars: Number(dollars(requests, prices).toFixed(2)) };
}

function count(args: Arguments, name: string): number {
  const text = args.value(name);
  if (text === undefined) throw new UsageError(`--${name} is missing`);
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0) return Number(text);
  throw new UsageError(`--${name} must be a positive number: current value is ${text}`);
}

function pollOf(text: string | undefined): number | undefined {
  try {
    const poll = text === undefined ? undefined : parseDuration(text);
    if (poll !== 0) return poll;
  } catch (cause) {
    throw new UsageError(`Cannot use --poll: ${messageOf(cause)}`, { cause });
  }
  throw new UsageError("--poll must be greater than 0");
}

function pricesOf(provider: string): [string, Prices] {
  if (Object.hasOwn(PRICES, provider)) return [provider, PRICES[provider]];
  throw new UsageError(
    `Unknown provider "${provider}", ${suggest(provider, Object.keys(PRICES))}`,
  );
}

function table(bills: readonly Bill[]): string[] {
  const rows = [
    ["requests a month", "PUT", "GET", "LIST", "US$"],
    ...bills.map(({ way, put, get, list, dollars }) => [
      way,
      ...[put, get, list].map((number) => number.toLocaleString("en")),
      dollars.toFixed(2),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map(([way, ...numbers]) =>
    [way.padEnd(widths[0]), ...numbers.map((text, i) => text.padStart(widths[i + 1]))].join("  ")
  );
}

function explain(provider: string, { source, date }: Prices): string[] {
  return [
    "Counts that servers say that they are there. Assumes that each update is a commit of its own, which all",
    "other servers read, and that an update without a newer one within the retention is moved to newest/, with",
    `a PUT and a LIST. Deletes are free; storage, traffic and queues cost extra. Prices of ${provider}: ${source}, ${date}`,
  ];
}
