/**
 * What a server says about itself in its presence.
 *
 * @module
 */
import { readVersion } from "../base/version.ts";
import { FORMATS } from "../log/codec.ts";
import {
  type AdvertisedAddress,
  type ConsumerReport,
  MAX_STREAMS,
  MAX_TEXT,
  type PresenceReport,
  type StreamReport,
  type TurnsReport,
} from "../log/fleet/presence.ts";
import { lagOf } from "../state/consumer_lag.ts";
import type { Core } from "../state/core.ts";

/** What the reader of this process knows beside the state. */
export interface ReadingReport {
  /** Number of gaps reported since it started. */
  readonly gaps: number;
  /** Since when a stream has had something left to read, in milliseconds of the monotonic clock. */
  readonly unreadSince: ReadonlyMap<string, number>;
  /** Why streams cannot be read on. */
  readonly held: ReadonlyMap<string, string>;
  /** What fails now: polling, or a plugin. */
  readonly problem?: string | undefined;
}

/** What a report is made of, beside the state. */
export interface ReportParts {
  /** When the process started, by the store's clock. */
  readonly startedAt: number;
  /** How long updates are kept, in milliseconds. */
  readonly retentionMs: number | false;
  /** The longest delay between polls, in milliseconds. */
  readonly pollMs: number;
  /** Whether the own stream is read, too. */
  readonly includeOwn: boolean;
  /** What the reader of this process knows; absent when it does not read. */
  readonly reading?: ReadingReport | undefined;
  /** Why queued updates cannot be uploaded. */
  readonly uploadError?: string | undefined;
  /** Where this server listens for peers. */
  readonly advertise?: AdvertisedAddress | undefined;
  /** What it says about taking turns. */
  readonly turns?: TurnsReport | undefined;
}

const NOT_READING: ReadingReport = { gaps: 0, unreadSince: new Map(), held: new Map() };

/** Makes the report of this server, as things are now. */
export async function reportOf(core: Core, parts: ReportParts): Promise<PresenceReport> {
  const { state, log } = core;
  const { startedAt, retentionMs, pollMs, reading = NOT_READING, uploadError } = parts;
  const { advertise, turns } = parts;
  const version = await readVersion(), now = log.now();
  const streams = streamsOf(core, { ...parts, reading });
  const problem = reading.problem ?? uploadError;
  const lastPublished = state.lastPublished(), queuedSince = state.queuedSince();
  return {
    version,
    formats: FORMATS,
    started: isoTime(startedAt),
    written: isoTime(now),
    retention: retentionMs === false ? null : retentionMs / 1000,
    streams,
    behindSeconds: behindSeconds(core, streams),
    lastPublished: lastPublished === undefined ? null : isoTime(lastPublished),
    pollSeconds: pollMs / 1000,
    queued: state.queued(),
    ...queuedSince !== undefined &&
      { queuedSeconds: Math.max(0, Math.round((now - queuedSince) / 1000)) },
    deadLetters: state.deadLetters.countByPlugin(),
    gaps: reading.gaps,
    lastError: problem === undefined
      ? null
      : { message: problem.slice(0, MAX_TEXT), time: isoTime(now) },
    requests: { ...log.requests },
    feeds: state.newest.count(),
    ...advertise && { advertise },
    ...turns && { turns },
    ...state.inbox.isWanted() && { consumers: consumersOf(core) },
  };
}

/** Consumers note times by the local clock. */
function consumersOf({ state, environment: { clock } }: Core): ConsumerReport[] {
  const now = clock.now();
  return state.consumers.all().map((consumer) => ({
    name: consumer.name,
    ...lagOf(state, consumer, now),
    lastRead: consumer.readAt === 0 ? null : isoTime(consumer.readAt + state.clockOffset),
  }));
}

function streamsOf(
  { state, environment: { clock } }: Core,
  { includeOwn, reading: { unreadSince, held } }: ReportParts & { readonly reading: ReadingReport },
): StreamReport[] {
  const own = includeOwn ? "" : state.ownStream.load().stream;
  return state.cursors.furthestBehind(MAX_STREAMS + 1)
    .filter(({ stream }) => stream !== own)
    .slice(0, MAX_STREAMS)
    .map(({ stream, seq, reach }) => {
      const since = unreadSince.get(stream), why = held.get(stream)?.slice(0, MAX_TEXT);
      const isBehind = reach > seq && since !== undefined;
      const behindSeconds = isBehind ? Math.round((clock.elapsed() - since) / 1000) : 0;
      return { stream, applied: seq, end: Math.max(seq, reach), behindSeconds, held: why };
    });
}

/** Seconds since everything that was known to be in the bucket had been applied. */
function behindSeconds({ state, log }: Core, streams: readonly StreamReport[]): number | null {
  const hasAll = streams.every(({ applied, end }) => applied >= end) && !state.restoring.isDue();
  const completeAt = state.fact(hasAll ? "listedAt" : "completeAt");
  if (completeAt === undefined) return null;
  return Math.max(0, Math.round((log.now() - Number(completeAt)) / 1000));
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
