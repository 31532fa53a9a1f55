/**
 * The servers as rows of a table, for terminals and for the page.
 *
 * @module
 */
import type { FleetStatus, Problem, ServerStatus } from "./fleet_status.ts";
import { inWords } from "./words.ts";

/** The columns, with their headings: the last facts come first. */
export const COLUMNS = [
  "server",
  "seen",
  "behind",
  "queued",
  "letters",
  "published",
  "feeds",
  "up",
  "version",
] as const;

/** A column. */
export type Column = typeof COLUMNS[number];

/** How a server is: `problem` needs a person, `note` is worth a look. */
export type Level = "gone" | "problem" | "note" | "well";

/** A server as a row. Parts of the texts come from other servers. */
export interface ServerRow {
  /** How it is. */
  readonly level: Level;
  /** The texts. */
  readonly cells: Readonly<Record<Column, string>>;
  /** The columns that tell why it needs a person. */
  readonly urgent: readonly Column[];
}

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

/** The servers as rows, in the order of the status. */
export function rowsOf({ servers, problems, time }: FleetStatus): ServerRow[] {
  const now = Date.parse(time);
  return servers.map((server) => rowOf(server, { level: levelOf(server, problems), now }));
}

/** How a server is. */
export function levelOf({ server, state }: ServerStatus, problems: readonly Problem[]): Level {
  if (state === "gone") return "gone";
  const its = problems.filter(({ servers, kind }) => servers.includes(server) && !OF_ALL.has(kind));
  if (its.some(({ severity }) => severity === "problem")) return "problem";
  return its.length > 0 ? "note" : "well";
}

function rowOf(
  { server, state, ageSeconds, report }: ServerStatus,
  { level, now }: { readonly level: Level; readonly now: number },
): ServerRow {
  const age = ageSeconds === null ? "?" : `${inWords(ageSeconds)} ago`;
  const seen = state === "gone" ? `gone, ${age}` : age;
  if (!report) {
    const unknown = Object.fromEntries(COLUMNS.map((name) => [name, "?"])) as ServerRow["cells"];
    return { level, cells: { ...unknown, server, seen }, urgent: [] };
  }
  const letters = Object.values(report.deadLetters).reduce((sum, count) => sum + count, 0);
  const urgent: Column[] = [];
  if (report.isBehind) urgent.push("behind");
  if (letters > 0) urgent.push("letters");
  const cells = {
    server,
    seen,
    behind: behind(report),
    queued: report.queued.toLocaleString("en"),
    letters: letters.toLocaleString("en"),
    published: report.lastPublished === null ? "never" : ago(report.lastPublished, now),
    feeds: report.feeds.toLocaleString("en"),
    up: inWords((Date.parse(report.written) - Date.parse(report.started)) / 1000),
    version: report.version.slice(0, MAX_VERSION),
  };
  return { level, cells, urgent };
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
