/**
 * Decides whether missing files mean removed feeds: a whole directory that vanished does not.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import type { Clock } from "../base/environment.ts";
import type { OnceLog } from "../base/once_log.ts";
import type { ExaminedFiles } from "./examined.ts";
import type { FeedDirectory, Listing } from "./feed_directory.ts";
import type { FileIndex } from "./file_index.ts";
import { identifyFeed, urlOfName } from "./read_feed.ts";

/** More removals than both of these need the consent of a person. */
const MAX_REMOVED = 3, MAX_REMOVED_FRACTION = 0.1;

/** Removals within this time are counted together: a directory may vanish file by file. */
const WINDOW_MS = 60 * 60 * 1000;

/** How long a listing is used. */
const MAX_LISTING_AGE_MS = 1000;

/** How many files are searched for one that was not received. */
const MAX_SEARCHED = 1000;

/** Options of {@linkcode RemovalGuard}. */
export interface RemovalGuardOptions {
  /** Measures how long ago files were removed. */
  readonly clock: Clock;
  /** Whether removals are published; `all`: however many, since a person consented. */
  readonly publishRemovals: boolean | "all";
  /** Logs what is not published as removed. */
  readonly problems: OnceLog;
}

/** What is missing from the directory. */
interface Missing {
  readonly names: ReadonlySet<string>;
  /** Those whose feed is neither known to be removed nor in another file. */
  readonly unexplained: number;
  /** Files that were seen in the directory. */
  readonly seen: number;
  /** Files that were published as removed within the last hour. */
  readonly removed: number;
  readonly expires: number;
}

/** Decides whether files that are gone were removed. */
export class RemovalGuard {
  readonly #directory: FeedDirectory;
  readonly #index: FileIndex;
  readonly #examined: ExaminedFiles;
  readonly #options: RemovalGuardOptions;
  #missing: Missing | undefined;
  #isTold = false;

  /** For the files in `directory`. */
  constructor(
    directory: FeedDirectory,
    index: FileIndex,
    { examined, ...options }: RemovalGuardOptions & { readonly examined: ExaminedFiles },
  ) {
    this.#directory = directory;
    this.#index = index;
    this.#examined = examined;
    this.#options = options;
  }

  /**
   * Begins a scan: resolves to the names of files that were seen before and are missing. None is missing
   * unless something shows that it is the same directory: an empty one, or one with received files only,
   * may be the mount point of a disk that is not mounted.
   */
  async begin(listing: Listing, identity: string | undefined): Promise<string[]> {
    const { path } = this.#directory;
    const subject = `contents of ${path}`;
    this.#isTold = false;
    const { names, seen, unexplained } = this.#missing = this.#compare(listing);
    const { problems } = this.#options;
    const isSame = this.#directory.trusts(identity) || unexplained <= seen * MAX_REMOVED_FRACTION ||
      await this.#hasOthers(listing);
    if (isSame) {
      this.#directory.trust(identity);
      problems.resolved(subject);
      return [...names];
    }
    const has = listing.feeds.size === 0 ? "is empty" : "has only received files";
    problems.problem(subject, {
      text: `The feed directory '${path}' ${has}, but ${unexplained} files were in it before: ` +
        "they are not taken as removed until another feed file is in it",
    });
    return [];
  }

  /** Whether the file, which is gone, may be published as removed. */
  async allows(name: string): Promise<boolean> {
    if (!this.#directory.trusts(await this.#directory.identity())) return false;
    const { clock, publishRemovals } = this.#options;
    if (publishRemovals === "all") return true;
    if (!this.#missing?.names.has(name) || clock.elapsed() > this.#missing.expires) {
      // When all vanished at once, a listing that lacks this file lacks the others, too.
      this.#missing = this.#compare(await this.#directory.list());
    }
    return this.#areFew(this.#missing);
  }

  #areFew({ unexplained, seen, removed }: Missing): boolean {
    const { path } = this.#directory;
    const { publishRemovals, problems } = this.#options;
    const gone = unexplained + removed, total = seen + removed;
    const subject = `removals from ${path}`;
    if (gone <= MAX_REMOVED || gone <= total * MAX_REMOVED_FRACTION) {
      problems.resolved(subject);
      return true;
    }
    if (publishRemovals && !this.#isTold) {
      problems.problem(subject, { text: tooMany(path, { gone, total }) });
    }
    this.#isTold = true;
    return false;
  }

  #compare({ feeds, problem }: Listing): Missing {
    const { path: directory } = this.#directory;
    const { clock } = this.#options;
    const seen = this.#index.seenIn(directory)
      .filter((path) => dirname(path) === directory)
      .map((path) => basename(path));
    const missing = seen.filter((name) => !feeds.has(name) && !problem?.isAbout(name));
    const since = clock.now() + this.#index.clockOffset - WINDOW_MS;
    return {
      names: new Set(missing),
      unexplained: missing.filter((name) => !this.#isExplained(name)).length,
      seen: seen.length,
      removed: this.#index.removedSince(directory, since),
      expires: clock.elapsed() + MAX_LISTING_AGE_MS,
    };
  }

  /** Whether the feed is known to be removed, or is in another file. */
  #isExplained(name: string): boolean {
    const url = this.#index.get(this.#directory.pathOf(name))?.url ?? urlOfName(name);
    if (url === undefined) return false;
    return this.#index.newest(url)?.hash === null || this.#examined.others(name, url).length > 0;
  }

  /** Whether there is a file that was not received: received ones are written into any directory. */
  async #hasOthers({ feeds }: Listing): Promise<boolean> {
    let searched = 0;
    for (const name of feeds) {
      if (searched++ === MAX_SEARCHED) return false;
      const identity = await identifyFeed(name, this.#directory.readablePathOf(name))
        .catch(() => undefined);
      if (identity?.origin === undefined) return true;
    }
    return false;
  }
}

function tooMany(path: string, { gone, total }: { gone: number; total: number }): string {
  return `${gone} of ${total} feed files in '${path}' disappeared within an hour, too many to publish ` +
    "as removed. Put the files back, or publish the removals: each with 'feedsync " +
    "publish --remove URL', or all with 'feedsync watch --once --remove-missing'";
}
