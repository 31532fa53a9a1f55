/**
 * Shows everything about one server.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import type { FleetStatus, ServerReport, ServerStatus } from "../../fleet/status/fleet_status.ts";
import { counted, inWords, listed } from "../../fleet/status/words.ts";
import type { RequestCounts } from "../../stores/store.ts";
import { aligned, type Line, type Span, span } from "./lines.ts";
import { ago, behind } from "../../fleet/status/rows.ts";
import { consumerLines, heading, problemLines, styleOf } from "./overview.ts";
import { costOf, type CostOptions } from "./request_cost.ts";

/** What is wrong with an address. */
const VERDICTS = {
  unchecked: "not checked: this machine has no wake.secret",
  "wrong-secret": "signed with another secret",
  "invalid-origin": "which is no origin that peers use",
  expired: "signed long before or after the presence was written",
} as const;

/** Maximum number of streams shown. */
const MAX_STREAMS = 50;

/** Shows a status with only one server in it; wraps the problems to `columns`. */
export function serverView(status: FleetStatus, columns: number, cost: CostOptions): Line[] {
  const now = Date.parse(status.time);
  const lines = status.servers.flatMap((server) => [
    [],
    ...aligned([
      [span(server.server, styleOf(server, status.problems) ?? "bold"), span(seen(server))],
      ...facts(server, now, cost),
    ]),
    ...server.report ? streams(server.report) : [],
  ]);
  return [
    ...heading(status),
    ...lines,
    ...consumerLines(status),
    ...problemLines(status.problems, columns),
  ];
}

function seen({ state, ageSeconds, intervalSeconds }: ServerStatus): string {
  const age = ageSeconds === null ? "at an unknown time" : `${inWords(ageSeconds)} ago`;
  const every = `every ${inWords(intervalSeconds)}`;
  return state === "gone"
    ? `gone, last seen ${age}; all below is as it was then`
    : `running, seen ${age}, ${every}`;
}

function* facts(
  { stream, writer, weight, report, unreadable }: ServerStatus,
  now: number,
  cost: CostOptions,
): Iterable<readonly Span[]> {
  const fact = (name: string, text: string) => [span(`  ${name}`), span(text)];
  yield fact("stream", `${stream}, process ${writer}`);
  if (unreadable) yield fact("unreadable", unreadable.message);
  if (!report) return;
  const { version, formats, started, lastError, requests, requestsPerDay, turns, address } = report;
  yield fact("behind", behind(report));
  yield fact("published", published(report, now));
  yield fact("dead letters", lettersOf(report));
  yield fact("gaps", `${report.gaps} since it started`);
  if (lastError) yield fact("last failure", `${ago(lastError.time, now)}: ${lastError.message}`);
  yield fact("feeds", report.feeds.toLocaleString("en"));
  if (turns) yield fact("turns", turnsOf(turns, weight));
  yield fact("requests", `${requestsOf(requests)} since it started`);
  if (requestsPerDay) {
    yield fact("", `${requestsOf(requestsPerDay)} a day${costOf(requestsPerDay, cost)}`);
  }
  yield fact("started", `${ago(started, now)}, ${started}`);
  yield fact("retention", retentionOf(report));
  yield fact("version", `${version}, format ${formats.written} for readers from ${formats.reader}`);
  if (address) yield fact("address", `${address.origin}${verdictOn(address)}`);
}

function published({ lastPublished, queued, queuedSeconds }: ServerReport, now: number): string {
  const last = lastPublished === null ? "never" : ago(lastPublished, now);
  if (queued === 0) return `${last}, nothing queued`;
  const since = queuedSeconds === null ? "" : ` for ${inWords(queuedSeconds)}`;
  return `${last}, ${queued.toLocaleString("en")} queued${since}`;
}

function lettersOf({ deadLetters }: ServerReport): string {
  const plugins = Object.entries(deadLetters).filter(([, count]) => count > 0);
  return listed(plugins.map(([plugin, count]) => `${plugin} ${count}`)) || "none";
}

function turnsOf(
  { feeds, owned, overdue, slowDomains, suffixes }: NonNullable<ServerReport["turns"]>,
  weight: number,
): string {
  const slow = slowDomains.length > 0 ? `; cannot keep up with ${listed(slowDomains)}` : "";
  return `fetches ${owned.toLocaleString("en")} of ${
    counted(feeds, "feed")
  }, ${overdue} overdue, ` +
    `weight ${weight}, public suffixes ${suffixes}${slow}`;
}

function requestsOf(counts: RequestCounts): string {
  return (["put", "get", "list", "delete"] as const)
    .map((kind) => `${counts[kind].toLocaleString("en")} ${kind.toUpperCase()}`).join(", ");
}

function retentionOf({ retentionSeconds }: ServerReport): string {
  return retentionSeconds === null ? "for ever" : formatDuration(retentionSeconds * 1000);
}

function verdictOn({ verdict }: NonNullable<ServerReport["address"]>): string {
  return verdict === "valid" ? "" : `, ${VERDICTS[verdict]}`;
}

function streams({ streams }: ServerReport): Line[] {
  if (streams.length === 0) return [];
  const rows = streams.slice(0, MAX_STREAMS).map((stream) => {
    const { behindUpdates, behindSeconds, held } = stream;
    return [
      span(`  ${stream.stream}`, held === null ? undefined : "red"),
      span(behindUpdates.toLocaleString("en")),
      span(behindUpdates > 0 || held !== null ? inWords(behindSeconds) : "–"),
      span(held ?? ""),
    ];
  });
  const headings = ["  reads from", "updates left", "for", ""].map((text) => span(text, "bold"));
  const left = streams.length - MAX_STREAMS;
  return [
    [],
    ...aligned([headings, ...rows], (column) => column === 1),
    ...left > 0 ? [[span(`  and ${counted(left, "stream")} more: see --json`, "dim")]] : [],
  ];
}
