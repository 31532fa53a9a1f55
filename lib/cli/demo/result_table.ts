/**
 * Renders the result as a table with notes.
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

/** Number of text columns at the left; the others are right-aligned numbers. */
const TEXT_COLUMNS = 2;

/** Renders the table, without a newline at the end. */
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
    "Times are median / longest, without updates read while catching up. saved→applied includes",
    `${SETTLE} for which a file must be unchanged. Requests are counted as for a bucket, among them`,
    "a presence a second, which shows the status; by default there is one every five minutes.",
  ];
  for (const { server, repeated, allRequests } of servers) {
    if (!allRequests) lines.push(`${server} was killed: its earlier requests are not known.`);
    if (repeated > 0) {
      lines.push(
        `${server} was killed before it stored its last cursor: it received one update again.`,
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
