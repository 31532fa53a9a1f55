/**
 * What a server knows about the feed files on its disk; plugins check it before they overwrite a
 * file. All paths are absolute, all hashes are made with `contentHash`, and all times are in
 * milliseconds since 1970 by the store's clock.
 *
 * @module
 */

/** The newest known update of a URL. */
export interface NewestKnown {
  /** When it was published. */
  readonly time: number;
  /** `contentHash` of the content; null when the feed was removed. */
  readonly hash: string | null;
}

/** A file as this server last saw it. */
export interface KnownFile {
  /** URL of its feed; absent when version 0.1 saw the file. */
  readonly url?: string;
  /** SHA-256 of its last seen content, base64; null when the file was gone. */
  readonly hash: string | null;
  /** Whether this content was left unpublished, so that it exists only in the file. */
  readonly isLeft: boolean;
  /** When its content or removal was last published from here; 0: never. */
  readonly publishedAt: number;
}

/** What this server knows about feed files. */
export interface KnownFiles {
  /** Milliseconds to add to local times to get the store's time. */
  readonly clockOffset: number;
  /** The file as last seen; undefined when it was never seen. */
  get(path: string): KnownFile | undefined;
  /** The newest update of the URL, published here or applied; undefined when the URL is unknown. */
  newest(url: string): NewestKnown | undefined;
  /** Paths below `directory` of files that existed when last seen; used to find missing files. */
  seenIn(directory: string): string[];
  /** Identity of the directory at the path at the last scan; undefined when unknown. */
  identityOf(directory: string): string | undefined;
  /** Identity of the directory at the path that was last written to; undefined when none was. */
  mirrored(directory: string): string | undefined;
  /** Notes the identity of the directory at the path that is written to. */
  noteMirrored(directory: string, identity: string): void;
  /** Whether the directory was ever scanned completely. */
  isScanned(directory: string): boolean;
}

/** Knowledge without a state: nothing. */
export const NO_KNOWN_FILES: KnownFiles = {
  clockOffset: 0,
  get: () => undefined,
  newest: () => undefined,
  seenIn: () => [],
  identityOf: () => undefined,
  mirrored: () => undefined,
  noteMirrored: () => {},
  isScanned: () => false,
};
