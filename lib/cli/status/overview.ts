/**
 * Shows all servers as a table, and the problems.
 *
 * @module
 */
import type {
  ConsumerStatus,
  FleetStatus,
  Problem,
  ServerStatus,
} from "../../fleet/status/fleet_status.ts";
import { summaryOf } from "../../fleet/status/summary.ts";
import { inWords } from "../../fleet/status/words.ts";
import type { Style } from "../demo/style.ts";
import { aligned, type Line, line, type Span, span, wrapped } from "./lines.ts";

/** Headings of the columns; the last facts come first. */
const HEADINGS = [
  "server",
  "seen",
  "behind",
  "queued",
  "letters",
  "published",
  "feeds",
  "up",
  "version",
];

/** Number columns. */
const RIGHT: ReadonlySet<string> = new Set(["queued", "letters", "feeds"]);

/** Maximum length of a version in the table. */
const MAX_VERSION = 16;

/** Notes that do not concern one server more than another. */
const OF_ALL: ReadonlySet<string> = new Set([
  "versions",
  "formats",
  "lists",
  "suffixes",
  "silent",
  "alone",
]);

/** Shows the fleet; wraps the problems to `columns`. */
export function overview(status: FleetStatus, columns: number): Line[] {
  return [
    ...heading(status),
    ...table(status),
    ...consumerLines(status),
    ...problemLines(status.problems, columns),
  ];
}

/** The status in one sentence, and of which store and time it is. */
export function heading(status: FleetStatus): Line[] {
  const isUrgent = status.problems.some(({ severity }) => severity === "problem");
  return [
    line(summaryOf(status), isUrgent ? "red" : "green"),
    line(`${status.store}, ${status.time.slice(0, "2026-01-01T00:00:00".length)}Z`, "dim"),
  ];
}

/** The problems, with what to do. */
export function problemLines(problems: readonly Problem[], columns: number): Line[] {
  const lines = problems.flatMap(({ severity, message, advice }) => [
    ...severity === "problem"
      ? wrapped(span("✗ ", "red"), message, columns, "red")
      : wrapped(span("! ", "yellow"), message, columns),
    ...wrapped(span("  → "), advice, columns, "dim"),
  ]);
  return lines.length > 0 ? [[], ...lines] : [];
}

function table({ servers, problems, time }: FleetStatus): Line[] {
  if (servers.length === 0) return [];
  const now = Date.parse(time);
  const rows = servers.map((server) => cells(server, { now, style: styleOf(server, problems) }));
  const headings = HEADINGS.map((text) => span(text, "bold"));
  return [[], ...aligned([headings, ...rows], (column) => RIGHT.has(HEADINGS[column]))];
}

/** The consumers of the servers, if they have any. */
export function consumerLines({ consumers, time }: FleetStatus): Line[] {
  if (consumers.length === 0) return [];
  const now = Date.parse(time);
  const headings = ["consumer", "server", "behind", "read"].map((text) => span(text, "bold"));
  const rows = consumers.map(({ name, server, lastRead, ...lag }) => [
    span(name),
    span(server),
    span(lagOf(lag)),
    span(lastRead === null ? "never" : ago(lastRead, now)),
  ]);
  return [[], ...aligned([headings, ...rows])];
}

function lagOf(
  { behindUpdates, behindSeconds }: Pick<ConsumerStatus, "behindUpdates" | "behindSeconds">,
): string {
  if (behindUpdates === 0) return "no";
  return `${inWords(behindSeconds)} (${behindUpdates.toLocaleString("en")})`;
}

/** Red: needs a person; yellow: worth a look; dim: gone. */
export function styleOf(
  { server, state }: ServerStatus,
  problems: readonly Problem[],
): Style | undefined {
  if (state === "gone") return "dim";
  const its = problems.filter(({ servers, kind }) => servers.includes(server) && !OF_ALL.has(kind));
  if (its.some(({ severity }) => severity === "problem")) return "red";
  return its.length > 0 ? "yellow" : undefined;
}

function cells(
  { server, state, ageSeconds, report }: ServerStatus,
  { now, style }: { readonly now: number; readonly style: Style | undefined },
): Span[] {
  const isGone = state === "gone", dim = isGone ? "dim" : undefined;
  const age = ageSeconds === null ? "?" : `${inWords(ageSeconds)} ago`;
  const name = [span(server, style), span(isGone ? `gone, ${age}` : age, dim)];
  if (!report) return [...name, ...HEADINGS.slice(name.length).map(() => span("?", dim))];
  const letters = Object.values(report.deadLetters).reduce((sum, count) => sum + count, 0);
  const red = dim ?? "red";
  return [
    ...name,
    span(behind(report), report.isBehind ? red : dim),
    span(report.queued.toLocaleString("en"), dim),
    span(letters.toLocaleString("en"), letters > 0 ? red : dim),
    span(report.lastPublished === null ? "never" : ago(report.lastPublished, now), dim),
    span(report.feeds.toLocaleString("en"), dim),
    span(inWords((Date.parse(report.written) - Date.parse(report.started)) / 1000), dim),
    span(report.version.slice(0, MAX_VERSION), dim),
  ];
}

/** How far a server was behind when it wrote its presence. */
export function behind(
  { behindSeconds, behindUpdates, isBehind }: NonNullable<ServerStatus["report"]>,
): string {
  const left = behindUpdates > 0 ? ` (${behindUpdates.toLocaleString("en")})` : "";
  if (behindSeconds === null) return `never complete${left}`;
  return behindUpdates > 0 || isBehind ? inWords(behindSeconds) + left : "no";
}

/** How long ago a time was, in words. */
export function ago(time: string, now: number): string {
  return `${inWords((now - Date.parse(time)) / 1000)} ago`;
}
