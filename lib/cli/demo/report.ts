/**
 * The result of the demo, in numbers.
 *
 * @module
 */
import type { RequestCounts } from "../../stores/store.ts";
import { check, type Saved } from "./check.ts";
import type { DemoServer } from "./server.ts";

/** Latencies in milliseconds. */
export interface Latency {
  /** The median. */
  readonly median: number;
  /** The maximum. */
  readonly longest: number;
}

/** The result for one server. */
export interface ServerReport {
  /** Name of the server. */
  readonly server: string;
  /** Number of updates that it published. */
  readonly published: number;
  /** Number of updates that it applied; repeats count once. */
  readonly applied: number;
  /** Number of updates that arrived again after it was killed. */
  readonly repeated: number;
  /** Latency from saving a file to applying it; null if no update arrived live. */
  readonly savedToApplied: Latency | null;
  /** Latency from the time of an update to applying it. */
  readonly publishedToApplied: Latency | null;
  /** Requests of its last process to the store; null when unknown. */
  readonly requests: RequestCounts | null;
  /** Whether `requests` is complete: a killed process cannot report its requests. */
  readonly allRequests: boolean;
  /** Problems. */
  readonly problems: readonly string[];
}

/** The result of the demo. */
export interface Result {
  /** Whether every server applied every update exactly in order. */
  readonly ok: boolean;
  /** Number of updates published. */
  readonly updates: number;
  /** The results of the servers, the publisher first. */
  readonly servers: readonly ServerReport[];
}

/** Summarises the results of the servers. */
export function report(
  saved: readonly Saved[],
  publisher: DemoServer,
  readers: readonly DemoServer[],
): Result {
  const identities = new Map<number, string>();
  const servers = [
    publisherReport(saved, publisher),
    ...readers.map((reader) => readerReport(saved, reader, identities)),
  ];
  return {
    ok: servers.every(({ problems }) => problems.length === 0),
    updates: saved.length,
    servers,
  };
}

function publisherReport(saved: readonly Saved[], server: DemoServer): ServerReport {
  const received = server.runs.flat().length;
  return {
    server: server.name,
    published: saved.length,
    applied: received,
    repeated: 0,
    savedToApplied: null,
    publishedToApplied: null,
    ...requestsOf(server),
    problems: received === 0 ? [] : [`applied ${received} updates although it alone published`],
  };
}

function readerReport(
  saved: readonly Saved[],
  server: DemoServer,
  identities: Map<number, string>,
): ServerReport {
  const live = server.processes.flatMap(({ arrivals, watchingSince }) =>
    arrivals.filter(({ update }) => saved[update.seq - 1]?.at >= watchingSince)
  );
  const { applied, repeated, problems } = check(saved, server.runs, identities);
  return {
    server: server.name,
    published: 0,
    applied,
    repeated,
    savedToApplied: latency(live.map(({ at, update }) => at - saved[update.seq - 1].at)),
    publishedToApplied: latency(live.map(({ at, update }) => at - Date.parse(update.time))),
    ...requestsOf(server),
    problems,
  };
}

function requestsOf({ processes }: DemoServer): Pick<ServerReport, "requests" | "allRequests"> {
  return {
    requests: processes.at(-1)?.requests ?? null,
    allRequests: processes.every(({ requests }) => requests !== undefined),
  };
}

function latency(times: readonly number[]): Latency | null {
  const sorted = times.toSorted((a, b) => a - b);
  if (sorted.length === 0) return null;
  return { median: sorted[sorted.length >> 1], longest: sorted[sorted.length - 1] };
}
