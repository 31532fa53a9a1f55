/**
 * Tells from the presences which servers there are, and how they are.
 *
 * @module
 */
import {
  AccessDeniedError,
  messageOf,
  MissingKeyError,
  MissingObjectError,
  UnsupportedFormatError,
} from "../../errors.ts";
import { PlainObjectError } from "../../log/encryption/envelope.ts";
import type { DatedPresence, PresenceName } from "../../log/fleet/names.ts";
import type { AdvertisedAddress, PresenceReport, StreamReport } from "../../log/fleet/presence.ts";
import { isStream, serverOf } from "../../log/names.ts";
import { type CollectedFleet, type CollectedPresence, isGone, writtenAt } from "./collect.ts";
import type {
  ServerAddress,
  ServerReport,
  ServerStatus,
  StreamStatus,
  UnreadablePresence,
} from "./fleet_status.ts";

/** Checks an address with the secret of this machine. */
export type AddressCheck = (
  name: DatedPresence,
  address: AdvertisedAddress,
) => ServerAddress["verdict"];

/** On a machine without a secret. */
const unchecked: AddressCheck = () => "unchecked";

/** A server is behind if it has lacked something for so long, and for so many polls. */
const BEHIND_SECONDS = 600, BEHIND_POLLS = 3;

/** What clocks may be off by: only who writes this much after another one started is beside it. */
const TOLERANCE_MS = 30_000;

const DAY_SECONDS = 24 * 60 * 60;

/** Tells which servers there are. */
export function serversOf(
  { presences, now }: CollectedFleet,
  checkAddress: AddressCheck = unchecked,
): ServerStatus[] {
  const servers = presences.map((presence) => serverStatus(presence, { now, checkAddress }));
  return servers.filter((server) => !servers.some((other) => isFormerRun(server, other)))
    .sort(inOrder);
}

/**
 * Whether the server was last seen before `other`, of the same name, had started: after a crash the
 * former presence remains.
 */
function isFormerRun({ server, seen }: ServerStatus, other: ServerStatus): boolean {
  if (server !== other.server || seen === null || !other.report) return false;
  const isOlder = other.seen !== null && seen < other.seen;
  return isOlder && Date.parse(seen) < Date.parse(other.report.started) + TOLERANCE_MS;
}

function inOrder(a: ServerStatus, b: ServerStatus): number {
  if (a.state !== b.state) return a.state === "running" ? -1 : 1;
  if (a.state === "gone") return (a.ageSeconds ?? 0) - (b.ageSeconds ?? 0);
  const [first, second] = [a, b].map(({ stream, writer }) => `${stream}/${writer}`);
  return first < second ? -1 : 1;
}

function serverStatus(
  { name, stored, error }: CollectedPresence,
  { now, checkAddress }: { readonly now: number; readonly checkAddress: AddressCheck },
): ServerStatus {
  const { server, stream, writer, interval, weight, list } = name;
  const address = stored?.report.advertise;
  const verdict = address && checkAddress(name, address);
  const saidAt = Date.parse(stored?.report.written ?? "");
  const seenAt = writtenAt(name, now) ?? (saidAt <= now ? saidAt : undefined);
  return {
    server,
    stream,
    writer,
    state: isGone(seenAt, interval, now) ? "gone" : "running",
    seen: seenAt === undefined ? null : new Date(seenAt).toISOString(),
    ageSeconds: seenAt === undefined ? null : Math.round((now - seenAt) / 1000),
    intervalSeconds: interval,
    weight,
    list: list ?? null,
    isPlain: stored?.isPlain ?? error instanceof PlainObjectError,
    unreadable: error ? unreadable(name, error) : null,
    report: stored ? serverReport(stored.report, verdict) : null,
  };
}

function unreadable({ key }: PresenceName, error: Error): UnreadablePresence {
  const message = messageOf(error).replace(`Cannot read ${key}: `, "");
  return { reason: reasonOf(error), message };
}

function reasonOf(error: Error): UnreadablePresence["reason"] {
  if (error instanceof MissingKeyError) return "missing-key";
  if (error instanceof UnsupportedFormatError) return "newer-version";
  if (error instanceof AccessDeniedError) return "refused";
  if (error instanceof PlainObjectError) return "plain";
  return error instanceof MissingObjectError ? "not-found" : "damaged";
}

function serverReport(
  report: PresenceReport,
  verdict: ServerAddress["verdict"] = "unchecked",
): ServerReport {
  const { retention, pollSeconds, queuedSeconds, turns, requests, started, written } = report;
  const { advertise } = report;
  const streams = report.streams.filter(({ stream }) => isStream(stream)).map(streamStatus);
  const upSeconds = (Date.parse(written) - Date.parse(started)) / 1000;
  const { version, formats, behindSeconds, lastPublished, queued, deadLetters, gaps, feeds } =
    report;
  const limit = Math.max(BEHIND_SECONDS, BEHIND_POLLS * (pollSeconds ?? 0));
  return {
    version,
    formats,
    started,
    written,
    retentionSeconds: retention,
    pollSeconds: pollSeconds ?? null,
    address: advertise ? { origin: advertise.origin, verdict } : null,
    isBehind: (behindSeconds ?? upSeconds) > limit,
    behindSeconds,
    behindUpdates: streams.reduce((sum, { behindUpdates }) => sum + behindUpdates, 0),
    streams,
    lastPublished,
    queued,
    queuedSeconds: queuedSeconds ?? null,
    deadLetters,
    gaps,
    lastError: report.lastError,
    requests,
    requestsPerDay: upSeconds < 60 ? null : perDay(requests, upSeconds),
    feeds,
    turns: turns ?? null,
  };
}

function streamStatus({ stream, applied, end, behindSeconds, held }: StreamReport): StreamStatus {
  return {
    stream,
    server: serverOf(stream),
    behindUpdates: Math.max(0, end - applied),
    behindSeconds,
    held: held ?? null,
  };
}

function perDay(
  { put, get, list, delete: deletes }: PresenceReport["requests"],
  seconds: number,
): PresenceReport["requests"] {
  const daily = (count: number) => Math.round(count / seconds * DAY_SECONDS);
  return { put: daily(put), get: daily(get), list: daily(list), delete: daily(deletes) };
}
