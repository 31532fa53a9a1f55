/**
 * Events of the demo; `--json` prints them unchanged, one per line.
 *
 * @module
 */
import type { FleetStatus } from "../../fleet/status/fleet_status.ts";
import type { Result } from "./report.ts";

/** How long a file of the demo must be unchanged before it is read. */
export const SETTLE = "200ms";

/** An event. */
export type DemoEvent = TimelineEvent | ResultEvent | StatusEvent;

/** An event before the result. */
export type TimelineEvent = ActEvent | ServerEvent;

/** An event at a server. */
export type ServerEvent = LifeEvent | SavedEvent | AppliedEvent;

/** A part of the demo begins. */
export interface ActEvent {
  /** Kind of the event. */
  readonly event: "act";
  /** Title of the part. */
  readonly text: string;
}

/** A server started to watch, or was killed. */
export interface LifeEvent {
  /** Kind of the event. */
  readonly event: "watching" | "killed";
  /** Name of the server. */
  readonly server: string;
}

/** The demo has ended. */
export interface ResultEvent extends Result {
  /** Kind of the event. */
  readonly event: "result";
}

/** What `feedsync status` showed before the servers stopped; the last event. */
export interface StatusEvent extends FleetStatus {
  /** Kind of the event. */
  readonly event: "status";
}

/** A file was saved in the directory of a server. */
export interface SavedEvent {
  /** Kind of the event. */
  readonly event: "saved";
  /** The server that publishes it. */
  readonly server: string;
  /** The seq that the update must get. */
  readonly seq: number;
  /** URL of the feed. */
  readonly url: string;
  /** Format of the file. */
  readonly format: string;
  /** Title of the newest entry in it. */
  readonly headline: string;
}

/** An update was applied by a server. */
export interface AppliedEvent {
  /** Kind of the event. */
  readonly event: "applied";
  /** The server that applied it. */
  readonly server: string;
  /** Its position in the stream. */
  readonly seq: number;
  /** URL of the feed. */
  readonly url: string;
  /** Title of the newest entry in the file that was saved. */
  readonly headline: string;
  /** Milliseconds since the file was saved. */
  readonly ms: number;
}

/** Shows an event. */
export type Show = (event: DemoEvent) => Promise<void>;

/** How long feedsync has been running, such as ` 1.23s`. */
export function elapsed(): string {
  return `${(performance.now() / 1000).toFixed(2).padStart(5)}s`;
}

/** Formats a duration for people: `207 ms`, `2.7 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
