import { type PresenceName, presenceName } from "../../../lib/log/fleet/names.ts";
import type { PresenceReport } from "../../../lib/log/fleet/presence.ts";
import type { CollectedPresence } from "../../../lib/fleet/status/collect.ts";
import type { FleetStatus } from "../../../lib/fleet/status/fleet_status.ts";
import { judge } from "../../../lib/fleet/status/judge.ts";
import { type AddressCheck, serversOf } from "../../../lib/fleet/status/servers.ts";

/** When it is in these tests. */
export const NOW = Date.parse("2026-11-30T12:00:00Z");

const DAY = 24 * 60 * 60;

/** The time so many seconds ago. */
export function ago(seconds: number, now = NOW): string {
  return new Date(now - seconds * 1000).toISOString();
}

/** The name of a presence; the stream of `web-1` is `web-1_aaaaaaaa`. */
export function named(
  server: string,
  parts: Partial<Pick<PresenceName, "writer" | "interval" | "weight" | "list">> & {
    readonly id?: string;
  } = {},
): PresenceName {
  const { id = "aaaaaaaa", writer = "wwwwwwww", interval = 300, weight = 100, list } = parts;
  return presenceName({ stream: `${server}_${id}`, writer, interval, weight, list });
}

/** What a server says that is well. */
export function report(changes: Partial<PresenceReport> = {}, now = NOW): PresenceReport {
  return {
    version: "0.2.0",
    formats: { reader: 1, written: 1 },
    started: ago(4 * DAY, now),
    written: ago(10, now),
    retention: DAY,
    streams: [],
    behindSeconds: 4,
    lastPublished: ago(180, now),
    queued: 0,
    deadLetters: {},
    gaps: 0,
    lastError: null,
    requests: { put: 400, get: 4000, list: 40_000, delete: 4 },
    feeds: 1203,
    ...changes,
  };
}

/** A presence that was written so many seconds ago. */
export function seen(
  name: PresenceName,
  { seconds = 10, isPlain = false, error, ...changes }: Partial<PresenceReport> & {
    readonly seconds?: number;
    readonly isPlain?: boolean;
    readonly error?: Error;
  } = {},
): CollectedPresence {
  const dated = { ...name, size: 100, lastModified: NOW - seconds * 1000 };
  if (error) return { name: dated, error };
  return { name: dated, stored: { report: report(changes), isPlain } };
}

/** The status that these presences show. */
export function statusOf(
  presences: readonly CollectedPresence[],
  { checkAddress, left = 0 }: { readonly checkAddress?: AddressCheck; readonly left?: number } = {},
): FleetStatus {
  const store = "s3://feed-sync/prod";
  const servers = serversOf({ presences, now: NOW, left }, checkAddress);
  const problems = judge(servers, { store, left });
  return { store, time: new Date(NOW).toISOString(), servers, problems, consumers: [] };
}

/** Kinds and severities of the problems, such as `problem gone`. */
export function kinds({ problems }: FleetStatus): string[] {
  return problems.map(({ severity, kind }) => `${severity} ${kind}`);
}
