/**
 * What a server remembers of the feed files on its disk.
 *
 * @module
 */
import type { UpdateInput } from "../update.ts";

/** A file as this server last saw it. */
export interface KnownFile {
  /** SHA-256 of the content that was last seen in it, base64; null: it was gone. */
  readonly hash: string | null;
  /** That content was left unpublished: no other copy of it exists. */
  readonly isLeft: boolean;
  /**
   * When content of the file, or that it is gone, was last published from here, in milliseconds by the
   * store's clock; 0: never.
   */
  readonly publishedAt: number;
}

/** What this server knows of feed files. */
export interface KnownFiles {
  /** Milliseconds to add to local times, such as those of files, to get the store's. */
  readonly clockOffset: number;
  /** What was last seen in the file at this absolute path; undefined when it was never seen. */
  get(path: string): KnownFile | undefined;
  /** Whether the files of the directory were all looked at before, in whatever run. */
  isScanned(directory: string): boolean;
}

/** Nothing is known of any file: for processes without a state. */
export const NO_KNOWN_FILES: KnownFiles = {
  clockOffset: 0,
  get: () => undefined,
  isScanned: () => false,
};

/** The newest known update of a URL. */
export interface NewestKnown {
  /** When it was published, by the store's clock, in milliseconds since 1970. */
  readonly time: number;
  /** `contentHash` of the content; null when the feed was removed. */
  readonly hash: string | null;
}

/** A file that was seen, and the feed that it stood for. */
export interface SeenFile extends KnownFile {
  /** URL of the feed; absent in states of version 0.1. */
  readonly url?: string;
}

/** What a file was found to hold. */
export interface Sight {
  /** URL of its feed; undefined when that is unknown. */
  readonly url: string | undefined;
  /** Hash of the content; null: it is gone. */
  readonly hash: string | null;
  /** The content is left unpublished. */
  readonly isLeft?: boolean;
}

/**
 * The index of the watched files. All paths are absolute; all hashes are made with `contentHash`. What is
 * published is durable when the method returns.
 */
export interface FileIndex extends KnownFiles {
  /** What was last seen in the file; undefined when it was never seen. */
  get(path: string): SeenFile | undefined;
  /** Paths below `directory` where files were last seen. */
  seenIn(directory: string): string[];
  /** How many files below `directory` were published as gone after `time`, by the store's clock. */
  removedSince(directory: string, time: number): number;
  /** The newest update of the URL, published here or applied; undefined when the URL is unknown. */
  newest(url: string): NewestKnown | undefined;
  /** Remembers what was seen in the file, without publishing. */
  note(path: string, sight: Sight): void;
  /** Identity of the directory when it was last scanned; undefined when that is unknown. */
  identityOf(directory: string): string | undefined;
  /** Remembers that the directory was scanned; without an identity, the known one stays. */
  noteScanned(directory: string, identity: string | undefined): void;
  /**
   * Remembers what was seen and accepts the update, in one transaction. The upload follows in the
   * background.
   *
   * @throws {InvalidUpdateError} when it cannot be published; then nothing is remembered.
   */
  publish(path: string, hash: string | null, update: UpdateInput): void;
}
