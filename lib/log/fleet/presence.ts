/**
 * What a running server says about itself.
 *
 * @module
 */
import { en } from "zod/locales";
import * as z from "zod/mini";
import { CorruptObjectError, messageOf } from "../../errors.ts";
import type { Json } from "../../update.ts";
import { openBody, packBody } from "../codec.ts";
import type { PresenceName } from "./names.ts";

/** How far a server has read another one's stream. */
export interface StreamReport {
  /** The stream. */
  readonly stream: string;
  /** Position of the last update applied. */
  readonly applied: number;
  /** Position of the last update known. */
  readonly end: number;
  /** For how many seconds there has been something left to read; 0 when there is nothing. */
  readonly behindSeconds: number;
  /** Why the next update cannot be read or applied; absent when nothing is wrong. */
  readonly held?: string | undefined;
}

/** An address at which a server listens for its peers. */
export interface AdvertisedAddress {
  /** The origin, such as `http://web-1.example.com:7070`. */
  readonly origin: string;
  /** When it was signed, by the store's clock, ISO 8601. */
  readonly time: string;
  /** Signature with the peers' secret, over the key of the presence, the origin and the time. */
  readonly signature: string;
}

/** A failure that a server has met. */
export interface ReportedError {
  /** The message. */
  readonly message: string;
  /** When, by the store's clock, ISO 8601. */
  readonly time: string;
}

/** What a server says about taking turns. */
export interface TurnsReport {
  /** Number of feeds in its list. */
  readonly feeds: number;
  /** Number of these that are its own to fetch. */
  readonly owned: number;
  /** Number of these whose turn is overdue by more than the interval they are asked for. */
  readonly overdue: number;
  /** Domains that cannot keep up, since their feeds are fetched one after the other. */
  readonly slowDomains: readonly string[];
  /** Version of the list of public suffixes, which tells domains apart. */
  readonly suffixes: string;
}

/** How far a consumer of the local API is. */
export interface ConsumerReport {
  /** Its name. */
  readonly name: string;
  /** Number of updates that it has not acknowledged. */
  readonly behindUpdates: number;
  /** Seconds since the oldest of them arrived; 0 when there is none. */
  readonly behindSeconds: number;
  /** When it was read last; null when it never was. */
  readonly lastRead: string | null;
}

/** What a running server says about itself. Times are by the store's clock, ISO 8601. */
export interface PresenceReport {
  /** Version of feedsync. */
  readonly version: string;
  /** The oldest reader that can read what it writes, and the format that it writes. */
  readonly formats: { readonly reader: number; readonly written: number };
  /** When it started. */
  readonly started: string;
  /** When it wrote this. */
  readonly written: string;
  /** How long it keeps updates, in seconds; null: for ever. */
  readonly retention: number | null;
  /** Where it listens for peers, if it says so. */
  readonly advertise?: AdvertisedAddress | undefined;
  /** How far it has read the streams of others: those with something left first, at most 1,000. */
  readonly streams: readonly StreamReport[];
  /** Seconds since it last had everything; null when it never had. */
  readonly behindSeconds: number | null;
  /** When it published last; null when it never has. */
  readonly lastPublished: string | null;
  /** Its longest delay between polls, in seconds. */
  readonly pollSeconds?: number | undefined;
  /** Number of updates that wait for their upload. */
  readonly queued: number;
  /** For how many seconds the oldest of them has waited. */
  readonly queuedSeconds?: number | undefined;
  /** Number of dead letters, by plugin. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Number of gaps reported since it started. */
  readonly gaps: number;
  /** The last failure to reach the store, or to read or apply something; null when all is well. */
  readonly lastError: ReportedError | null;
  /** Requests to the store since it started. */
  readonly requests: {
    readonly put: number;
    readonly get: number;
    readonly list: number;
    readonly delete: number;
  };
  /** Number of feeds that it knows. */
  readonly feeds: number;
  /** What it says about taking turns; absent when it takes none. */
  readonly turns?: TurnsReport | undefined;
  /** The consumers of its local API, at most 100; absent when there are none. */
  readonly consumers?: readonly ConsumerReport[] | undefined;
}

/** Maximum number of streams in a presence, and length of the texts in it. */
export const MAX_STREAMS = 1000, MAX_TEXT = 500;

/** Maximum number of consumers in a presence. */
const MAX_CONSUMERS = 100;

/** Maximum number of plugins, and of domains, in a presence. */
const MAX_NAMES = 100;

/** Maximum length of a report: so many streams take less. */
const MAX_LENGTH = 4 * 1024 * 1024;

const count = z.catch(z.number().check(z.int(), z.nonnegative()), 0);
const seconds = z.number().check(z.nonnegative());
const text = z.pipe(z.string(), z.transform((value) => value.slice(0, MAX_TEXT)));
const time = z.iso.datetime();

const streamRule = z.object({
  stream: text,
  applied: count,
  end: count,
  behindSeconds: count,
  held: orAbsent(text),
});

const consumerRule = z.object({
  name: z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)),
  behindUpdates: count,
  behindSeconds: count,
  lastRead: orNull(time),
});

/** Members that are missing or malformed get a default: a newer version may have changed them. */
const reportRule = z.object({
  version: z.catch(text, "unknown"),
  formats: z.catch(z.object({ reader: count, written: count }), { reader: 0, written: 0 }),
  started: time,
  written: time,
  retention: orNull(z.number().check(z.positive())),
  advertise: orAbsent(z.object({ origin: text, time, signature: text })),
  streams: first(MAX_STREAMS, streamRule),
  behindSeconds: orNull(seconds),
  lastPublished: orNull(time),
  pollSeconds: orAbsent(seconds),
  queued: count,
  queuedSeconds: orAbsent(seconds),
  deadLetters: z.pipe(
    z.catch(z.record(text, count), {}),
    z.transform((counts) => Object.fromEntries(Object.entries(counts).slice(0, MAX_NAMES))),
  ),
  gaps: count,
  lastError: orNull(z.object({ message: text, time })),
  requests: z.catch(
    z.object({ put: count, get: count, list: count, delete: count }),
    { put: 0, get: 0, list: 0, delete: 0 },
  ),
  feeds: count,
  turns: orAbsent(z.object({
    feeds: count,
    owned: count,
    overdue: count,
    slowDomains: first(MAX_NAMES, text),
    suffixes: z.catch(text, "unknown"),
  })),
  consumers: z.pipe(
    orAbsent(z.array(consumerRule)),
    z.transform((consumers) => consumers?.slice(0, MAX_CONSUMERS)),
  ),
});

/** A member that is null when it is malformed. */
function orNull<S extends z.ZodMiniType>(rule: S): z.ZodMiniCatch<z.ZodMiniNullable<S>> {
  return z.catch(z.nullable(rule), null);
}

/** A member that may be absent, and counts as absent when it is malformed. */
function orAbsent<S extends z.ZodMiniType>(rule: S): z.ZodMiniCatch<z.ZodMiniOptional<S>> {
  return z.catch(z.optional(rule), undefined);
}

/** The first `most` entries of a list; none when one is malformed. */
function first<S extends z.ZodMiniType>(
  most: number,
  entry: S,
): z.ZodMiniType<z.output<S>[]> {
  return z.pipe(z.catch(z.array(entry), []), z.transform((entries) => entries.slice(0, most)));
}

/** Encodes a report for the presence `name`. */
export function encodePresence(name: PresenceName, report: PresenceReport): Uint8Array {
  return packBody(headerOf(name), [JSON.stringify(report)]);
}

/**
 * Decodes the presence `name`. Unknown members are left out.
 *
 * @throws {CorruptObjectError} when it does not match its key, or lacks its times.
 * @throws {UnsupportedFormatError} when only a newer version can read it.
 */
export function decodePresence(name: PresenceName, body: Uint8Array): PresenceReport {
  const { lines: [line] } = openBody(name.key, body, headerOf(name));
  if (line.length > MAX_LENGTH) throw new CorruptObjectError(name.key, "it is too large");
  try {
    return reportRule.parse(JSON.parse(line), { error: en().localeError });
  } catch (cause) {
    throw new CorruptObjectError(name.key, `it is malformed (${messageOf(cause)})`, { cause });
  }
}

function headerOf({ stream, server, writer }: PresenceName): { count: number; [_: string]: Json } {
  return { kind: "presence", stream, server, writer, count: 1 };
}
