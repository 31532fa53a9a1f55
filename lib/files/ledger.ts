/**
 * What watching files needs from the state: memory of what was seen, and a way to publish.
 *
 * @module
 */
import type { UpdateInput } from "../update.ts";

/** The newest known update of a URL. */
export interface NewestKnown {
  /** When it was published, by the store's clock, in milliseconds since 1970. */
  readonly time: number;
  /** `contentHash` of the content; null when the feed was removed. */
  readonly hash: string | null;
}

/**
 * The memory of the watched files. All paths are absolute; all hashes are made with `contentHash`.
 * What is published is durable when the method returns.
 */
export interface FileLedger {
  /** Hash of the content last seen in the file; null when it was last seen gone; undefined when never seen. */
  seen(path: string): string | null | undefined;
  /** Paths below `directory` that were last seen existing: tells which files are gone. */
  seenIn(directory: string): string[];
  /** The newest update of the URL, published here or applied; undefined when the URL is unknown. */
  newest(url: string): NewestKnown | undefined;
  /** Remembers what was seen in the file, without publishing. */
  note(path: string, hash: string | null): void;
  /**
   * Remembers what was seen and accepts the update, both in one transaction. The upload goes on by
   * itself.
   *
   * @throws {InvalidUpdateError} when it cannot be published; then nothing is remembered.
   */
  publish(path: string, hash: string | null, update: UpdateInput): void;
}
