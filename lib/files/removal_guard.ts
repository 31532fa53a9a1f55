/**
 * Keeps a directory that vanished from being taken for feeds that were removed.
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

/** More files than this, and than that part of all, are not taken to be removed without a person. */
const MOST_REMOVED = 3, MOST_REMOVED_PART = 0.1;

/** Removals within this time count together: a directory may vanish file by file. Milliseconds. */
const TOGETHER = 60 * 60 * 1000;

/** The same listing serves for so many milliseconds. */
const LISTING_AGE = 1000;

/** So many files are searched for one that was not received. */
const MOST_SEARCHED = 1000;

/** What a guard needs. */
export interface RemovalGuardOptions {
  /** Tells how long ago files were removed. */
  readonly clock: Clock;
  /** Whether removals are published; `all`: however many, a person has said so. */
  readonly publishRemovals: boolean | "all";
  /** Where it is told what is not taken to be removed. */
  readonly problems: OnceLog;
}

/** What is missing from the directory. */
interface Missing {
  readonly names: ReadonlySet<string>;
  /** How many of them nothing explains. */
  readonly unexplained: number;
  /** How many files were seen in the directory. */
  readonly seen: number;
  /** How many were published as removed shortly before. */
  readonly removed: number;
  readonly expires: number;
}

/** Says of files that are gone whether they were removed. */
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
   * Begins a look at the directory: resolves to the names of files seen before that are not in it any
   * more. Where nothing shows that it is the directory in which they were, none is missing: an empty one,
   * or one in which there is only what was received since, may be where a disk is not mounted.
   */
  async begin(listing: Listing, identity: string | undefined): Promise<string[]> {
    const { path } = this.#directory;
    const subject = `contents of ${path}`;
    this.#isTold = false;
    const { names, seen, unexplained } = this.#missing = this.#compare(listing);
    const { problems } = this.#options;
    const isSame = this.#directory.trusts(identity) || unexplained <= seen * MOST_REMOVED_PART ||
      await this.#hasOthers(listing);
    if (isSame) {
      this.#directory.trust(identity);
      problems.resolved(subject);
      return [...names];
    }
    const has = listing.feeds.size === 0 ? "is empty" : "holds only what was received";
    problems.problem(subject, {
      text: `The feed directory '${path}' ${has}, and ${unexplained} files were seen in it: ` +
        "they are not taken to be removed until there is a feed file again",
    });
    return [];
  }

  /** Whether the file, which is gone, may be taken to be removed. */
  async allows(name: string): Promise<boolean> {
    if (!this.#directory.trusts(await this.#directory.identity())) return false;
    const { clock, publishRemovals } = this.#options;
    if (publishRemovals === "all") return true;
    if (!this.#missing?.names.has(name) || clock.elapsed() > this.#missing.expires) {
      // When all vanished at once, a listing without this file is without the others, too.
      this.#missing = this.#compare(await this.#directory.list());
    }
    return this.#areFew(this.#missing);
  }

  #areFew({ unexplained, seen, removed }: Missing): boolean {
    const { path } = this.#directory;
    const { publishRemovals, problems } = this.#options;
    const gone = unexplained + removed, total = seen + removed;
    const subject = `removals from ${path}`;
    if (gone <= MOST_REMOVED || gone <= total * MOST_REMOVED_PART) {
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
    const since = clock.now() + this.#index.clockOffset - TOGETHER;
    return {
      names: new Set(missing),
      unexplained: missing.filter((name) => !this.#isExplained(name)).length,
      seen: seen.length,
      removed: this.#index.removedSince(directory, since),
      expires: clock.elapsed() + LISTING_AGE,
    };
  }

  /** Whether the feed is known to be gone, or is in another file. */
  #isExplained(name: string): boolean {
    const url = this.#index.get(this.#directory.pathOf(name))?.url ?? urlOfName(name);
    if (url === undefined) return false;
    return this.#index.newest(url)?.hash === null || this.#examined.others(name, url).length > 0;
  }

  /** Whether there is a file that somebody else put there: what was received is written anywhere. */
  async #hasOthers({ feeds }: Listing): Promise<boolean> {
    let searched = 0;
    for (const name of feeds) {
      if (searched++ === MOST_SEARCHED) return false;
      const identity = await identifyFeed(name, this.#directory.readablePathOf(name))
        .catch(() => undefined);
      if (identity?.origin === undefined) return true;
    }
    return false;
  }
}

function tooMany(path: string, { gone, total }: { gone: number; total: number }): string {
  return `${gone} of ${total} feed files in '${path}' are gone within an hour: so many are not taken ` +
    "for removed feeds. Put the files back, or publish that the feeds are gone: each with " +
    "'feedsync publish --remove URL', or all with 'feedsync watch --once --remove-missing'";
}
