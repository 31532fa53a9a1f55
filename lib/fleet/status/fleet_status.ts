/**
 * The status of the servers that share a bucket. As JSON, this is a stable contract.
 *
 * @module
 */
import type { ConsumerReport, ReportedError, TurnsReport } from "../../log/fleet/presence.ts";
import type { RequestCounts } from "../../stores/store.ts";

/** Which servers share a bucket, how they are, and what needs a person. */
export interface FleetStatus {
  /** URL of the store. */
  readonly store: string;
  /** When this was true, by the store's clock, ISO 8601. */
  readonly time: string;
  /** The servers: running ones by name, then those that are gone, the last one seen first. */
  readonly servers: readonly ServerStatus[];
  /** What is wrong or worth knowing: what needs a person comes first. */
  readonly problems: readonly Problem[];
  /** The consumers of the local APIs of all servers, by server and name. */
  readonly consumers: readonly ConsumerStatus[];
}

/** A consumer of a local API, as its server has told. */
export interface ConsumerStatus extends ConsumerReport {
  /** Name of the server. */
  readonly server: string;
}

/** A server, as its presence in the bucket shows it. */
export interface ServerStatus {
  /** Name of the server. */
  readonly server: string;
  /** The stream that it publishes to. */
  readonly stream: string;
  /** Identifies its process. */
  readonly writer: string;
  /** `gone`: its presence is more than three of its intervals old, so it has probably crashed. */
  readonly state: "running" | "gone";
  /** When it wrote its presence, by the store's clock, ISO 8601; null when nobody knows. */
  readonly seen: string | null;
  /** Seconds since then. */
  readonly ageSeconds: number | null;
  /** Delay after which it writes its presence again, in seconds. */
  readonly intervalSeconds: number;
  /** Share of the feeds that it takes, in relation to others. */
  readonly weight: number;
  /** Digest of the list of feeds that it takes turns with; null when it takes none. */
  readonly list: string | null;
  /** Whether it writes without encryption, although this machine has keys. */
  readonly isPlain: boolean;
  /** Why what it says cannot be read; null when it was read. */
  readonly unreadable: UnreadablePresence | null;
  /** What it says about itself; null when that cannot be read. */
  readonly report: ServerReport | null;
}

/** Why a presence cannot be read. */
export interface UnreadablePresence {
  /**
   * `missing-key`: this machine lacks the key. `newer-version`: this program is too old. `damaged`:
   * it is no presence. `plain`: it is not encrypted. `refused`: the store denies access. `not-found`:
   * it is listed, but there is none.
   */
  readonly reason: "missing-key" | "newer-version" | "damaged" | "plain" | "refused" | "not-found";
  /** The reason in words. */
  readonly message: string;
}

/** What a server said about itself when it wrote its presence. Times are ISO 8601. */
export interface ServerReport {
  /** Version of feedsync. */
  readonly version: string;
  /** The oldest reader that can read what it writes, and the format that it writes. */
  readonly formats: { readonly reader: number; readonly written: number };
  /** When it started. */
  readonly started: string;
  /** When it said all this. */
  readonly written: string;
  /** How long it keeps updates, in seconds; null: for ever. */
  readonly retentionSeconds: number | null;
  /** Its longest delay between polls, in seconds; null when it does not say. */
  readonly pollSeconds: number | null;
  /** Where it listens for peers; null when it does not say. */
  readonly address: ServerAddress | null;
  /** Whether it is behind for so long that a person should look. */
  readonly isBehind: boolean;
  /** Seconds since it last had everything; null when it never had. */
  readonly behindSeconds: number | null;
  /** Number of updates that it knows of and has not applied. */
  readonly behindUpdates: number;
  /** How far it has read the streams of others: those with something left first, at most 1,000. */
  readonly streams: readonly StreamStatus[];
  /** When it published last; null when it never has. */
  readonly lastPublished: string | null;
  /** Number of its updates that wait for their upload. */
  readonly queued: number;
  /** For how many seconds the oldest of them has waited; null when it does not say. */
  readonly queuedSeconds: number | null;
  /** Number of updates that it could not apply, by plugin. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Number of gaps since it started: updates that expired before it had read them. */
  readonly gaps: number;
  /** The last failure that still matters; null when all is well. */
  readonly lastError: ReportedError | null;
  /** Requests to the store since it started. */
  readonly requests: Readonly<RequestCounts>;
  /** The same by day; null during the first minute. */
  readonly requestsPerDay: Readonly<RequestCounts> | null;
  /** Number of feeds that it knows. */
  readonly feeds: number;
  /** What it says about taking turns; null when it takes none. */
  readonly turns: TurnsReport | null;
}

/** An address at which a server listens for its peers. */
export interface ServerAddress {
  /** The origin, such as `http://web-1.example.com:7070`. */
  readonly origin: string;
  /**
   * Whether peers use it. `wrong-secret`: it is not signed with the secret of this machine.
   * `invalid-origin`: nobody connects there. `expired`: it was signed at another time than its
   * presence was written. `unchecked`: this machine has no secret.
   */
  readonly verdict: "valid" | "wrong-secret" | "invalid-origin" | "expired" | "unchecked";
}

/** How far a server has read the stream of another one. */
export interface StreamStatus {
  /** The stream. */
  readonly stream: string;
  /** Name of the server that publishes to it. */
  readonly server: string;
  /** Number of updates that it knows of and has not applied. */
  readonly behindUpdates: number;
  /** For how many seconds there has been something left to apply; 0 when there is nothing. */
  readonly behindSeconds: number;
  /** Why the next update cannot be read or applied; null when nothing is wrong. */
  readonly held: string | null;
}

/** What is wrong, or worth knowing. */
export interface Problem {
  /** What it is; stable. */
  readonly kind: ProblemKind;
  /** `problem`: needs a person. `note`: only worth knowing. */
  readonly severity: "problem" | "note";
  /** Names of the servers concerned; empty when it concerns no server in particular. */
  readonly servers: readonly string[];
  /** What it is, in words. Parts of it come from other servers. */
  readonly message: string;
  /** What to do. */
  readonly advice: string;
}

/** Kinds of problems, which need a person. */
export type ProblemKind =
  | "gone"
  | "behind"
  | "held"
  | "dead-letters"
  | "queued"
  | "missing-key"
  | "newer-version"
  | "damaged"
  | "refused"
  | "plain"
  | "secret"
  | "retention"
  | "same-name"
  | "cloned"
  | "nobody"
  | NoteKind;

/** Kinds of notes; `held` and `queued` are notes at first, too. */
export type NoteKind =
  | "not-found"
  | "starting"
  | "gaps"
  | "failing"
  | "address"
  | "overdue"
  | "slow-domains"
  | "undated"
  | "versions"
  | "formats"
  | "lists"
  | "suffixes"
  | "silent"
  | "alone"
  | "too-many";
