/**
 * What the events tell. Texts of others are made fit to be shown.
 *
 * @module
 */
import { printable } from "../../base/printable.ts";
import type { Connection } from "../../connection.ts";
import { deadLetters } from "../../dead_letters.ts";
import { shownUrl } from "../../feed_url.ts";
import type { FleetStatus, Problem } from "../../fleet/status/fleet_status.ts";
import { rowsOf } from "../../fleet/status/rows.ts";
import { summaryOf } from "../../fleet/status/summary.ts";
import { counted, quoted } from "../../fleet/status/words.ts";
import { serverOf } from "../../log/names.ts";
import type { Arrival } from "../../state/arrivals.ts";
import { describeError } from "../errors.ts";
import { behindSeconds, queuedSeconds } from "../own_lag.ts";
import type { EventData } from "./schemas.ts";

/** Maximum number of letters and updates in an event. */
export const MAX_SHOWN = 50;

/** An update in an event. */
export type ShownUpdate = EventData["updates"]["updates"][number];

/** What this process has counted. */
export interface Counts {
  /** Updates of this server that were stored. */
  readonly published: number;
  /** Updates of others that arrived. */
  readonly received: number;
}

/** The numbers of this server at a moment. */
export interface Sample extends Counts {
  /** For how long there has been something left to read; null: it does not read. */
  readonly behindSeconds: number | null;
  /** Updates that wait for their upload. */
  readonly queued: number;
}

/** What the event about this server is made of. */
export interface ServerParts {
  /** Its numbers. */
  readonly sample: Sample;
  /** What they were. */
  readonly history: EventData["server"]["history"];
  /** Version of feedsync. */
  readonly version: string;
}

/** How this server is. */
export function serverEvent(
  connection: Connection,
  { sample, version, history }: ServerParts,
): EventData["server"] {
  const { parts, server } = connection;
  return {
    ...{ server, version, store: printable(quoted(connection.store)) },
    time: new Date(parts?.log.now() ?? Date.now()).toISOString(),
    queuedSeconds: parts ? queuedSeconds(parts) : 0,
    ...sample,
    history,
  };
}

/** The numbers of this server as they are. */
export function sampleOf(connection: Connection, counts: Counts): Sample {
  const { parts } = connection;
  return {
    behindSeconds: (parts && behindSeconds(connection, parts)) ?? null,
    queued: parts?.state.queued() ?? 0,
    ...counts,
  };
}

/** How all servers are. */
export function fleetEvent(seen: FleetStatus, connection: Connection): EventData["fleet"] {
  const status = withOwnLetters(seen, connection);
  const servers = rowsOf(status).map((row) => {
    const cells = Object.entries(row.cells).map(([name, text]) => [name, printable(quoted(text))]);
    return { ...row, cells: Object.fromEntries(cells), urgent: [...row.urgent] };
  });
  const problems = status.problems.map(({ message, ...problem }) => ({
    ...problem,
    servers: [...problem.servers],
    message: printable(message),
  }));
  return { time: status.time, summary: printable(summaryOf(status)), servers, problems };
}

/** Why it is not known how all servers are. */
export function noFleetEvent(thrown: unknown, time: string): EventData["fleet"] {
  const { name, message } = describeError(thrown);
  return { time, error: { name, message: printable(quoted(message)) } };
}

/** A server without a presence is not seen: of its dead letters it knows itself. */
function withOwnLetters(status: FleetStatus, { parts, server }: Connection): FleetStatus {
  const count = parts?.state.deadLetters.count() ?? 0;
  if (count === 0 || status.servers.some((seen) => seen.server === server)) return status;
  const letters: Problem = {
    kind: "dead-letters",
    severity: "problem",
    servers: [server],
    message: `${server}: ${counted(count, "dead letter")}`,
    advice: "Retry or drop them",
  };
  return { ...status, problems: [letters, ...status.problems] };
}

/** The oldest dead letters. */
export function lettersEvent(connection: Connection): EventData["letters"] {
  const letters = deadLetters(connection).list({ limit: MAX_SHOWN });
  return {
    count: connection.parts?.state.deadLetters.count() ?? 0,
    letters: letters.map(({ id, plugin, url, error, time, retryAt }) => ({
      ...{ id, plugin: printable(quoted(plugin)), url: textOf(url) },
      ...{ error: printable(quoted(error)), time, retryAt },
    })),
  };
}

/** An update that has arrived. */
export function shownUpdate(
  { id, url, stream, time, removed, isRestored }: Arrival,
  { number, isOwn }: { readonly number: number; readonly isOwn: boolean },
): ShownUpdate {
  return {
    ...{ number, id, url: textOf(url), server: serverOf(stream), time },
    ...removed && { removed },
    ...isRestored && { restored: true },
    ...isOwn && { own: true },
  };
}

function textOf(url: string): string {
  return printable(quoted(shownUrl(url)));
}
