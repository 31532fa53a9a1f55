/**
 * What a state holds, for people.
 *
 * @module
 */
import { NEWEST_FORMAT } from "../../state/migrations.ts";
import type { HeldStream, StateSummary } from "../../state/summary.ts";

const LABEL_WIDTH = 14;

/** What `show` prints. */
export function summaryLines(summary: StateSummary): string[] {
  const { path, bytes, logBytes, server, store, service, format, reader } = summary;
  const log = logBytes > 0 ? `, and ${sizeText(logBytes)} in its log` : "";
  const rows: [string, string][] = [
    ["state", `${path} (${sizeText(bytes)}${log})`],
    ["server", server],
    ["store", `${store ?? "none yet"}${service === undefined ? "" : ` at ${service}`}`],
    ["format", `${format}, for programs that know ${reader}; this one writes ${NEWEST_FORMAT}`],
    ["stream", `${summary.stream}, ${countText(summary.uploaded, "update")} in the bucket`],
    ["queue", queueText(summary.queued, summary.queuedSince)],
    [
      "cursors",
      `${countText(summary.cursors, "stream")}, ${summary.unread} of them not at the end`,
    ],
    ...summary.held.map((held): [string, string] => ["waits", heldText(held)]),
    ["dead letters", String(summary.deadLetters)],
  ];
  return rows.map(([label, text]) => label.padEnd(LABEL_WIDTH) + text);
}

/** How much is queued. */
export function queueText(queued: number, since?: number): string {
  const text = `${countText(queued, "update")} queued`;
  return since === undefined ? text : `${text}, the oldest since ${timeText(since)}`;
}

/** A size in bytes. */
export function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function heldText({ stream, after, since, reason }: HeldStream): string {
  const begun = since === undefined ? "" : ` since ${timeText(since)}`;
  return `${stream} after ${after}${begun}: ${reason ?? "an object cannot be read"}`;
}

function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
