/**
 * Finds what is wrong with single servers.
 *
 * @module
 */
import type { Problem, ServerAddress, ServerReport, ServerStatus } from "./fleet_status.ts";
import { counted, inWords, listed, quoted } from "./words.ts";

/** Something about one server. */
export interface Finding extends Pick<Problem, "kind" | "severity" | "advice"> {
  /** What it is; of several servers with the same text, one problem is made. */
  readonly what: string;
}

/** A stream that has been held up for longer needs a person: it is tried again every minute. */
const HELD_SECONDS = 120;

/** Updates that have waited for longer for their upload need a person. */
export const QUEUED_SECONDS: number = 600;

const UNREADABLE_ADVICE = {
  "missing-key": "Give this machine the key file of that server, or that server the common one",
  "newer-version": "Upgrade feedsync on this machine",
  damaged: "If its server does not replace it within its interval, look who else writes there",
  refused: "Allow these credentials s3:GetObject for present/",
  "not-found": "Ask again: the server has just stopped, or its presence has got another name",
} as const;

/** Finds what is wrong with a server. */
export function findingsAbout(server: ServerStatus): Finding[] {
  const { state, ageSeconds, unreadable, isPlain, report, seen } = server;
  if (state === "gone") {
    const what = `gone, last seen ${inWords(ageSeconds ?? 0)} ago`;
    const advice = "See whether it runs and reaches the store. If it was shut down for good, it " +
      "is no longer shown a day after it was last seen";
    return [{ kind: "gone", severity: "problem", what, advice }];
  }
  const findings: Finding[] = [];
  if (seen === null) {
    const what = "the store tells no credible time of the presence";
    const advice = "Check the clocks of the store and of whoever writes to it";
    findings.push({ kind: "undated", severity: "note", what, advice });
  }
  if (isPlain) {
    const what = "not encrypted, although this machine has keys";
    const advice = "Set encryption.keys there to the key file of the others";
    findings.push({ kind: "plain", severity: "problem", what, advice });
  }
  if (unreadable && unreadable.reason !== "plain") {
    const { reason, message } = unreadable;
    const severity = reason === "not-found" ? "note" : "problem";
    const what = `the presence cannot be read: ${quoted(message)}`;
    findings.push({ kind: reason, severity, what, advice: UNREADABLE_ADVICE[reason] });
  }
  return report ? [...findings, ...readingProblems(report), ...otherProblems(report)] : findings;
}

/** What is wrong with how it receives updates. */
function* readingProblems(report: ServerReport): Iterable<Finding> {
  const { behindSeconds, isBehind, behindUpdates, started, written, gaps } = report;
  const upSeconds = (Date.parse(written) - Date.parse(started)) / 1000;
  const left = counted(behindUpdates, "update");
  if (isBehind) {
    const what = behindSeconds === null
      ? `has not had everything since it started ${inWords(upSeconds)} before, ${left} to apply`
      : `behind for ${inWords(behindSeconds)}, ${left} to apply`;
    const advice = "See `feedsync status` with its name, and its log: a plugin may wait for its " +
      "backend, or updates arrive faster than they are applied";
    yield { kind: "behind", severity: "problem", what, advice };
  } else if (behindSeconds === null) {
    const what = `not complete yet, started ${inWords(upSeconds)} before, ${left} to apply`;
    const advice = "Wait until it has everything. If only `feedsync due` runs there, run " +
      "`feedsync watch` as well, or `watch --once`, to receive what others publish";
    yield { kind: "starting", severity: "note", what, advice };
  }
  for (const { stream, held, behindSeconds } of report.streams) {
    if (held === null) continue;
    const severity = behindSeconds > HELD_SECONDS ? "problem" : "note";
    const what = `cannot continue with ${quoted(stream)}: ${quoted(held)}`;
    const advice =
      "Add the key that is missing or upgrade, within the retention. What is damaged " +
      "waits until it expires, or is dropped: see `feedsync objects`";
    yield { kind: "held", severity, what, advice };
  }
  if (gaps > 0) {
    const what = `${counted(gaps, "gap")} since it started`;
    const advice =
      "Updates expired before they were read, or their object was damaged or dropped. The " +
      "newest one of each feed is restored; for what may still be missing, see 'A gap' in " +
      "docs/troubleshooting.md";
    yield { kind: "gaps", severity: "note", what, advice };
  }
}

/** What else is wrong with it. */
function* otherProblems(report: ServerReport): Iterable<Finding> {
  const letters = Object.entries(report.deadLetters).filter(([, count]) => count > 0);
  if (letters.length > 0) {
    const count = letters.reduce((sum, [, count]) => sum + count, 0);
    const plugins = listed(letters.map(([plugin, count]) => `${quoted(plugin)} ${count}`));
    const what = `${counted(count, "dead letter")} (${plugins})`;
    const advice = "On that server, run `feedsync dead-letters list`, then retry or drop them";
    yield { kind: "dead-letters", severity: "problem", what, advice };
  }
  const { lastError, queued, queuedSeconds } = report;
  const reason = lastError ? `: ${quoted(lastError.message)}` : "";
  const isLong = queued > 0 && (queuedSeconds ?? 0) > QUEUED_SECONDS;
  if (isLong || queued > 0 && lastError) {
    const since = queuedSeconds === null ? "" : ` for ${inWords(queuedSeconds)}`;
    const what = `${counted(queued, "update")} not uploaded${since}${reason}`;
    const advice = "See its log; it needs the right to write to the store";
    yield { kind: "queued", severity: isLong ? "problem" : "note", what, advice };
  } else if (lastError) {
    const what = `failed at ${lastError.time}${reason}`;
    yield { kind: "failing", severity: "note", what, advice: "See its log" };
  }
  if (report.address) yield* addressProblems(report.address);
  if (report.turns) yield* turnsProblems(report.turns);
}

function* addressProblems({ origin, verdict }: ServerAddress): Iterable<Finding> {
  if (verdict === "wrong-secret") {
    const what = `its address ${quoted(origin)} is signed with another secret`;
    const advice = "Give all servers and this machine the same wake.secret";
    yield { kind: "secret", severity: "problem", what, advice };
  } else if (verdict === "invalid-origin" || verdict === "expired") {
    const what = verdict === "expired"
      ? `its address ${quoted(origin)} was signed long before or after its presence was written`
      : `its address ${quoted(origin)} is none that peers use`;
    const advice =
      "Peers do not use it, and find its updates by polling. Set wake.advertise there " +
      "to an http(s) origin without path, and check the clocks";
    yield { kind: "address", severity: "note", what, advice };
  }
}

function* turnsProblems(
  { overdue, owned, slowDomains }: NonNullable<ServerReport["turns"]>,
): Iterable<Finding> {
  if (overdue > 0) {
    const what = `${overdue.toLocaleString("en")} of its ${counted(owned, "feed")} are overdue`;
    const advice = "Ask for more feeds at a time, or let further servers take turns";
    yield { kind: "overdue", severity: "note", what, advice };
  }
  if (slowDomains.length > 0) {
    const what = `cannot keep up with ${listed(slowDomains.map(quoted))}`;
    const advice = "The feeds of a domain are fetched one after the other: ask less often";
    yield { kind: "slow-domains", severity: "note", what, advice };
  }
}
