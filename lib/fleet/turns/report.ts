/**
 * What a server says in its presence about taking turns.
 *
 * @module
 */
import type { TurnsReport } from "../../log/fleet/presence.ts";
import type { Core } from "../../state/core.ts";
import type { Feed } from "./feed.ts";
import { nextTurn } from "./schedule.ts";

/** Delay between reports; the presence is written as often. */
const REPORT_MS = 60_000;

/** Maximum number of domains in a report. */
const MAX_DOMAINS = 20;

/** A domain with so many overdue feeds cannot keep up: they are fetched one after the other. */
const SLOW_FEEDS = 2;

interface StoredReport extends TurnsReport {
  readonly time: number;
}

/** What this server says about taking turns; undefined when it takes none. */
export function turnsReport({ state, log }: Pick<Core, "state" | "log">): TurnsReport | undefined {
  const stored = storedReport(state);
  if (!stored || (state.fleet.turns()?.until ?? 0) <= log.now()) return undefined;
  const { time: _, ...report } = stored;
  return report;
}

/** Stores a report for the process that writes the presence, once a minute. */
export function storeReport(
  { state, log }: Core,
  feeds: Iterable<Feed>,
  suffixes: string,
): void {
  const now = Math.round(log.now());
  if (Math.abs(now - (storedReport(state)?.time ?? -Infinity)) < REPORT_MS) return;
  const report: StoredReport = { ...reportOf(feeds, now), suffixes, time: now };
  state.turns.setFact("turnsReport", JSON.stringify(report));
}

function reportOf(feeds: Iterable<Feed>, now: number): Omit<TurnsReport, "suffixes"> {
  let listed = 0, owned = 0, overdue = 0;
  const byDomain = new Map<string, number>();
  for (const feed of feeds) {
    if (!feed.isCurrent) continue;
    listed++;
    if (!feed.isOurs) continue;
    owned++;
    const since = Math.max(nextTurn(feed, now), feed.addedAt, feed.takenAt);
    if (now - since <= feed.everyMs) continue;
    overdue++;
    byDomain.set(feed.domainName, (byDomain.get(feed.domainName) ?? 0) + 1);
  }
  const slow = [...byDomain].filter(([, count]) => count >= SLOW_FEEDS)
    .sort(([, a], [, b]) => b - a);
  const slowDomains = slow.slice(0, MAX_DOMAINS).map(([name]) => name);
  return { feeds: listed, owned, overdue, slowDomains };
}

function storedReport(state: Core["state"]): StoredReport | undefined {
  const text = state.turns.fact("turnsReport");
  return text === undefined ? undefined : JSON.parse(String(text));
}
