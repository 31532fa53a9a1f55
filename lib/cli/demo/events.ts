/**
 * What happens in the demo: `--json` prints it as it is, a line each.
 *
 * @module
 */
import type { Result } from "./report.ts";

/** How long a file of the demo must be unchanged before it is read. */
export const SETTLE = "200ms";

/** Something that happened. */
export type DemoEvent = TimelineEvent | ResultEvent;

/** What happens, up to the result. */
export type TimelineEvent = ActEvent | ServerEvent;

/** What happens at a server. */
export type ServerEvent = LifeEvent | SavedEvent | AppliedEvent;

/** A part of the demo begins. */
export interface ActEvent {
  /** Which event it is. */
  readonly event: "act";
  /** What it is about. */
  readonly text: string;
}

/** A server has begun to watch, or was killed. */
export interface LifeEvent {
  /** Which event it is. */
  readonly event: "watching" | "killed";
  /** Its name. */
  readonly server: string;
}

/** The demo has ended. */
export interface ResultEvent extends Result {
  /** Which event it is. */
  readonly event: "result";
}

/** A file was saved in the directory of a server. */
export interface SavedEvent {
  /** Which event it is. */
  readonly event: "saved";
  /** The server that publishes it. */
  readonly server: string;
  /** The seq that the update must get. */
  readonly seq: number;
  /** Which feed it is. */
  readonly url: string;
  /** What the file is written in. */
  readonly format: string;
  /** Title of the newest entry in it. */
  readonly headline: string;
}

/** An update was applied by a server. */
export interface AppliedEvent {
  /** Which event it is. */
  readonly event: "applied";
  /** The server that applied it. */
  readonly server: string;
  /** Its position in the stream. */
  readonly seq: number;
  /** Which feed it is. */
  readonly url: string;
  /** Title of the newest entry in the file that was saved. */
  readonly headline: string;
  /** Milliseconds from the moment the file was saved. */
  readonly ms: number;
}

/** Shows an event to whoever watches the demo. */
export type Show = (event: DemoEvent) => Promise<void>;

/** How long feedsync has been running, such as ` 1.23s`. */
export function elapsed(): string {
  return `${(performance.now() / 1000).toFixed(2).padStart(5)}s`;
}

/** Milliseconds for people: `207 ms`, `2.7 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
