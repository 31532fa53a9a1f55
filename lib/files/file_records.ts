/**
 * What a watcher of files records of them: what it sees and what it publishes.
 *
 * @module
 */
import type { KnownFiles } from "../known_files.ts";
import type { UpdateInput } from "../update.ts";

/** What was seen in a file. */
export interface Sighting {
  /** URL of its feed; undefined when that is not known any more. */
  readonly url: string | undefined;
  /** Hash of the content; null: the file is gone. */
  readonly hash: string | null;
  /** The content is left unpublished. @default false */
  readonly isLeft?: boolean;
}

/** The records that a watcher of files reads and writes. */
export interface FileRecords extends KnownFiles {
  /** How many files below `directory` were published as gone after `time`. */
  removedSince(directory: string, time: number): number;
  /** Records what was seen in the file, without publishing it. */
  note(path: string, sighting: Sighting): void;
  /** Records that the directory was scanned completely; without an identity, the known one stays. */
  noteScanned(directory: string, identity: string | undefined): void;
  /**
   * Accepts the update and, unless `isNoted` is false, records what was seen, in one transaction. It is
   * durable when this returns; the upload goes on in the background.
   *
   * @throws {InvalidUpdateError} when it cannot be published; then nothing is recorded.
   */
  publish(
    path: string,
    hash: string | null,
    update: UpdateInput,
    options?: { readonly isNoted?: boolean },
  ): void;
}
