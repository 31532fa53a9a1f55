/**
 * What the demo came to, in numbers.
 *
 * @module
 */
import type { RequestCounts } from "../../stores/store.ts";
import { check, type Saved } from "./check.ts";
import type { DemoServer } from "./server.ts";

/** How long something took, in milliseconds. */
export interface Latency {
  /** As long or longer in half of the cases. */
  readonly median: number;
  /** In the worst case. */
  readonly longest: number;
}

/** What came of one server. */
export interface ServerReport {
  /** Its name. */
  readonly server: string;
  /** Updates it published. */
  readonly published: number;
  /** Updates it applied; repeats count once. */
  readonly applied: number;
  /** Updates that arrived again after it was killed. */
  readonly repeated: number;
  /** From the file to the other server; null where nothing arrived live. */
  readonly savedToApplied: Latency | null;
  /** From the time of the update to the other server. */
  readonly publishedToApplied: Latency | null;
  /** What its last process sent to the store; null when that is not known. */
  readonly requests: RequestCounts | null;
  /** Whether these are all: a process that is killed cannot tell its own. */
  readonly allRequests: boolean;
  /** What was wrong. */
  readonly problems: readonly string[];
}

/** What the demo came to. */
export interface Result {
  /** Whether every server applied every update exactly in order. */
  readonly ok: boolean;
  /** How many updates were published. */
  readonly updates: number;
  /** Each server, the publisher first. */
  readonly servers: readonly ServerReport[];
}

/** Sums up what the servers did. */
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
