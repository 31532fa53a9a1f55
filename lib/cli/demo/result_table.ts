/**
 * The result as a table, with what must be said about it.
 *
 * @module
 */
import { SETTLE } from "./events.ts";
import type { Latency, Result, ServerReport } from "./report.ts";
import type { Paint } from "./style.ts";

/** Headings of the columns. */
const HEADINGS = [
  "server",
  "updates",
  "saved→applied",
  "published→applied",
  "PUT",
  "GET",
  "LIST",
  "DELETE",
];

/** Columns of text come first, those of numbers are aligned on the right. */
const TEXT_COLUMNS = 2;

/** All lines of it, without a newline at the end. */
export function resultTable(result: Result, paint: Paint): string {
  const rows = [HEADINGS, ...result.servers.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const [headings, ...lines] = rows.map((row) =>
    row.map((cell, column) =>
      column < TEXT_COLUMNS ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
    ).join("  ")
  );
  const verdict = result.ok
    ? [paint("green", "Every server applied every update, exactly in order.")]
    : problems(result).map((problem) => paint("red", problem));
  const text = [
    "",
    paint("bold", headings),
    ...lines,
    "",
    ...notes(result).map((note) => paint("dim", note)),
    ...verdict,
  ];
  return text.join("\n");
}

function cells(server: ServerReport): string[] {
  const { requests } = server;
  return [
    server.server,
    server.published > 0 ? `${server.published} published` : `${server.applied} applied`,
    latency(server.savedToApplied),
    latency(server.publishedToApplied),
    ...[requests?.put, requests?.get, requests?.list, requests?.delete].map((count) =>
      String(count ?? "?")
    ),
  ];
}

function latency(time: Latency | null): string {
  return time ? `${time.median} / ${time.longest} ms` : "–";
}

function notes({ servers }: Result): string[] {
  const lines = [
    `Times are median / longest, without what was caught up; ${SETTLE} of saved→applied are the time`,
    "for which a file must be still before it is read. Requests are what a bucket would count.",
  ];
  for (const { server, repeated, allRequests } of servers) {
    if (!allRequests) lines.push(`${server} was killed: its requests before that are not known.`);
    if (repeated > 0) {
      lines.push(
        `${server} was killed before it had noted its last update: it received that one again.`,
      );
    }
  }
  return lines;
}

function problems({ servers }: Result): string[] {
  return servers.flatMap(({ server, problems }) =>
    problems.map((problem) => `${server}: ${problem}`)
  );
}
