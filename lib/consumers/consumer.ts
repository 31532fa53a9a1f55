/**
 * What consumers are: programs in any language that are handed updates through the local API.
 *
 * @module
 */
import type { ConsumerLag } from "../state/consumer_lag.ts";
import type { JsonObject } from "../update.ts";

/** Where a consumer begins, and what it is handed. */
export interface ConsumerOptions {
  /**
   * `newest`: it begins with the newest update of every feed, and does so again after a gap of its
   * own; `now`: it begins with what comes next.
   */
  readonly from: "newest" | "now";
  /** Whether it is also handed what this server publishes. @default false */
  readonly own?: boolean | undefined;
}

/** A consumer, and how far it is. Times are ISO 8601, by the local clock. */
export interface ConsumerInfo extends ConsumerLag {
  /** Its name. */
  readonly name: string;
  /** Where it began. */
  readonly from: "newest" | "now";
  /** Whether it is also handed what this server publishes. */
  readonly own: boolean;
  /** When it was made. */
  readonly created: string;
  /** When it was read last; null before the first time. */
  readonly lastRead: string | null;
  /** The last cursor that it acknowledged. */
  readonly cursor: string;
}

/** Updates that a consumer misses: at least one from `first` to `last` is lost. */
export interface ConsumerGap {
  /** The stream; null when updates of a great many streams are lost. */
  readonly stream: string | null;
  /** First seq that may be missing. */
  readonly first: number;
  /** Last seq that may be missing. */
  readonly last: number;
  /**
   * `log`: this server never had them. `inbox`: this server dropped them, since the consumer did
   * not acknowledge them in time. `superseded`: the same, but newer updates of their feeds are
   * known.
   */
  readonly reason: "log" | "inbox" | "superseded";
}

/** In which form the content of updates is handed over. */
export type ContentForm =
  /** As in the stable JSON form of updates: text, parsed content, or bytes in base64. */
  | "text"
  /** The bytes that a file with it would have, always in base64. */
  | "bytes"
  /** Not at all. */
  | "none";

/** One line for a consumer: an update or a gap. */
export interface ConsumerLine {
  /** Acknowledges this line and all before it. */
  readonly cursor: string;
  /** `{"cursor":…,"update":…}` or `{"cursor":…,"gap":…}`, without a newline. */
  readonly json: string;
  /** The update in its stable JSON form; absent for a gap. */
  readonly update?: JsonObject | undefined;
  /** The gap; absent for an update. */
  readonly gap?: ConsumerGap | undefined;
}

/** What to read. */
export interface ConsumerReadOptions {
  /** Maximum number of lines, up to 10,000. @default 100 */
  readonly limit?: number | undefined;
  /** Maximum size of the lines, up to 64 MiB; a single line may be larger. @default 4 MiB */
  readonly maxBytes?: number | undefined;
  /** How long to wait for the first line, up to 25 seconds. @default 0 */
  readonly waitMs?: number | undefined;
  /** In which form to hand over content. @default "text" */
  readonly content?: ContentForm | undefined;
  /** Reads what comes after this cursor, before it is acknowledged. @default the acknowledged one */
  readonly after?: string | undefined;
  /** Stops waiting; rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Where to go on: `newest` and `now` as for a new consumer, or behind a cursor. */
export type SeekTarget = "newest" | "now" | { readonly cursor: string };

/** Limits of the inbox. */
export interface InboxOptions {
  /**
   * How long updates wait for consumers, and consumers without reading are remembered, in
   * milliseconds. @default 7 days
   */
  readonly maxAgeMs?: number | undefined;
  /** How much waits for consumers. @default 1 GB */
  readonly maxBytes?: number | undefined;
}
