/**
 * What a server knows of the feed files on its disk: whoever writes over one asks first. All paths are absolute, all hashes are made with
 * `contentHash`, and all times are in milliseconds since 1970 by the store's clock.
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
  /** URL of the feed that it stood for; absent when version 0.1 saw it. */
  readonly url?: string;
  /** SHA-256 of the content that was last seen in it, base64; null: it was gone. */
  readonly hash: string | null;
  /** That content was seen and left unpublished: it is nowhere else. */
  readonly isLeft: boolean;
  /** When the file's content, or that it is gone, was last published from here; 0: never. */
  readonly publishedAt: number;
}

/** What this server knows of feed files. */
export interface KnownFiles {
  /** Milliseconds to add to local times to get the store's. */
  readonly clockOffset: number;
  /** What was last seen in the file; undefined when it was never seen. */
  get(path: string): KnownFile | undefined;
  /** The newest update of the URL, published here or applied; undefined when the URL is unknown. */
  newest(url: string): NewestKnown | undefined;
  /** Paths below `directory` that were last seen existing: with it, missing files are found. */
  seenIn(directory: string): string[];
  /** Which directory was at the path at the last scan; undefined when that is not known. */
  identityOf(directory: string): string | undefined;
  /** Which directory at this path was written to; undefined when none was. */
  mirrored(directory: string): string | undefined;
  /** Records which directory at this path is written to. */
  noteMirrored(directory: string, identity: string): void;
  /** Whether the directory was scanned completely before, in whatever run. */
  isScanned(directory: string): boolean;
}

/** Without a state nothing is known of any file. */
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
