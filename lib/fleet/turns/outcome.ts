/**
 * What came of fetching a feed, and when its next turn is.
 *
 * @module
 */
import type { Duration } from "../../base/duration.ts";
import type { JsonInput } from "../../update.ts";

/** What came of fetching a feed. Without `status` there was no answer. */
export interface CheckOutcome {
  /** HTTP status of the answer, after any temporary redirects. @default there was no answer */
  readonly status?: number | undefined;
  /** Headers of the answer; names in any case. */
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined;
  /**
   * Content of the feed as published or known: the validators of this answer belong to it. Not
   * necessary if `publish` got it with `ifChanged`.
   */
  readonly content?: JsonInput | Uint8Array | undefined;
  /** Whether the removal of the feed was published. @default false */
  readonly removed?: boolean | undefined;
  /** How long the feed itself asks not to be fetched again, such as `<ttl>` of RSS. */
  readonly ttl?: Duration | undefined;
  /** What a `Retry-After` holds for: the URL, its host, or its domain. @default {"url"} */
  readonly scope?: "url" | "host" | "domain" | undefined;
  /** What went wrong, if there was no usable answer. Then the feed is fetched less often. */
  readonly error?: string | undefined;
}

/** What follows from an outcome. */
export interface CheckedFeed {
  /** Normalised URL of the feed. */
  readonly url: string;
  /** When its next turn is: ISO 8601, by the store's clock. */
  readonly next: string;
  /** Where the feed has moved permanently. feedsync itself keeps the URL. */
  readonly movedTo?: string | undefined;
  /** Set when the feed is gone for good. feedsync itself goes on fetching it. */
  readonly gone?: true | undefined;
}
