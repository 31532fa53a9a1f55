/**
 * The answers to the question whose turn a feed is.
 *
 * @module
 */
import type { Duration } from "../../base/duration.ts";

/** Options of `due`. */
export interface DueOptions {
  /** How often each feed is to be fetched, at least `"1s"`. */
  readonly every: Duration;
  /** Maximum number of feeds that are due. The most overdue ones come first. @default no limit */
  readonly limit?: number | undefined;
  /** Aborts the call. */
  readonly signal?: AbortSignal | undefined;
}

/** Whether it is a feed's turn on this server. */
export type Turn = DueTurn | WaitingTurn;

/** What a server sent with content, to be sent back: it answers with 304 if that is unchanged. */
export interface Validators {
  /** The value of the header `ETag`. */
  readonly etag?: string | undefined;
  /** The value of the header `Last-Modified`. */
  readonly lastModified?: string | undefined;
}

/** A feed to fetch now. */
export interface DueTurn {
  /** URL of the feed, as asked. */
  readonly url: string;
  /** It is to be fetched. */
  readonly due: true;
  /** Validators of the newest known content; empty when there are none. */
  readonly validators: Validators;
  /** The same as headers of a request: `If-None-Match` and `If-Modified-Since`. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Until then no other call gets the feed or another one of its domain, unless
   * `checked` is called before: ISO 8601, by the store's clock.
   */
  readonly leasedUntil: string;
}

/** Why it is not a feed's turn. */
export type WaitingReason =
  /** Another server fetches it. */
  | "owner"
  /** It was fetched less than an interval ago. */
  | "fresh"
  /** Fetching it failed, or its publisher has asked to wait. */
  | "backoff"
  /** It, or another feed of its domain, was handed out to another call. */
  | "leased"
  /** There are more overdue ones than `limit`. */
  | "limit"
  /** It cannot be the URL of a feed. */
  | "invalid";

/** A feed that is not to be fetched now. */
export interface WaitingTurn {
  /** URL of the feed, as asked. */
  readonly url: string;
  /** It is not to be fetched. */
  readonly due: false;
  /** Why not. */
  readonly reason: WaitingReason;
  /** When it may be its turn, if that is known: ISO 8601, by the store's clock. */
  readonly until?: string | undefined;
  /** Name of the server that fetches it, for the reason `owner`. */
  readonly owner?: string | undefined;
  /** What is wrong with the URL, for the reason `invalid`. */
  readonly problem?: string | undefined;
}
