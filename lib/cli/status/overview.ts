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
import {
  ago,
  type Column,
  COLUMNS,
  type Level,
  levelOf,
  rowsOf,
  type ServerRow,
} from "../../fleet/status/rows.ts";
import { summaryOf } from "../../fleet/status/summary.ts";
import { inWords } from "../../fleet/status/words.ts";
import type { Style } from "../demo/style.ts";
import { aligned, type Line, line, type Span, span, wrapped } from "./lines.ts";

/** Number columns. */
const RIGHT: ReadonlySet<Column> = new Set(["queued", "letters", "feeds"]);

/** Red: needs a person; yellow: worth a look; dim: gone. */
const STYLES: Readonly<Record<Level, Style | undefined>> = {
  gone: "dim",
  problem: "red",
  note: "yellow",
  well: undefined,
};

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

function table(status: FleetStatus): Line[] {
  if (status.servers.length === 0) return [];
  const headings = COLUMNS.map((text) => span(text, "bold"));
  const rows = [headings, ...rowsOf(status).map(spansOf)];
  return [[], ...aligned(rows, (column) => RIGHT.has(COLUMNS[column]))];
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

/** The style of a server's name. */
export function styleOf(server: ServerStatus, problems: readonly Problem[]): Style | undefined {
  return STYLES[levelOf(server, problems)];
}

function spansOf({ level, cells, urgent }: ServerRow): Span[] {
  const dim = level === "gone" ? "dim" : undefined;
  return COLUMNS.map((column) => {
    const style = dim ?? (urgent.includes(column) ? "red" : undefined);
    return span(cells[column], column === "server" ? STYLES[level] : style);
  });
}
