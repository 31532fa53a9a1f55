/**
 * What watching files needs from the state: memory of what was seen, and a way to publish.
 *
 * @module
 */
import type { UpdateInput } from "../update.ts";
import type { KnownFile, KnownFiles } from "./known_files.ts";

/** A file that was seen, and the feed that it stood for. */
export interface SeenFile extends KnownFile {
  /** URL of the feed; absent when a program before this one saw it. */
  readonly url?: string;
}

/** What was seen in a file. */
export interface Sight {
  /** URL of its feed; undefined when nothing tells it any more. */
  readonly url: string | undefined;
  /** Hash of the content; null: it is gone. */
  readonly hash: string | null;
  /** The content is left unpublished. */
  readonly isLeft?: boolean;
}

/**
 * The memory of the watched files. All paths are absolute; all hashes are made with `contentHash`.
 * What is published is durable when the method returns.
 */
export interface FileLedger extends KnownFiles {
  /** What was last seen in the file; undefined when it was never seen. */
  get(path: string): SeenFile | undefined;
  /** How many files below `directory` were published as gone after `time`, by the store's clock. */
  removedSince(directory: string, time: number): number;
  /** Remembers what was seen in the file, without publishing. */
  note(path: string, sight: Sight): void;
  /** Remembers that all files of the directory were looked at; without an identity, the known one stays. */
  noteScanned(directory: string, identity: string | undefined): void;
  /**
   * Remembers what was seen, unless that is not to be noted, and accepts the update, both in one
   * transaction. The upload goes on by itself.
   *
   * @throws {InvalidUpdateError} when it cannot be published; then nothing is remembered.
   */
  publish(
    path: string,
    hash: string | null,
    update: UpdateInput,
    options?: { readonly isNoted?: boolean },
  ): void;
}
