/**
 * Keeps a directory that vanished from being taken for feeds that were removed.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import type { Clock } from "../../base/environment.ts";
import type { OnceLog } from "../../base/once_log.ts";
import { MAX_MISSING_PART } from "../decide.ts";
import type { FeedDirectory, Listing } from "../feed_directory.ts";
import { urlOfName } from "../feed_names.ts";
import type { FileRecords } from "../file_records.ts";
import type { ExaminedFiles } from "./examined_files.ts";

/** So many files may be removed whatever part of all they are; only a person may remove more. */
const MAX_REMOVED = 3;

/** Removals within this time count together: a directory may vanish file by file. */
const TOGETHER_MS = 60 * 60 * 1000;

/** The directory is listed again once a listing is older than this. */
const MAX_LISTING_AGE_MS = 1_000;

/** What a guard needs. */
export interface RemovalGuardOptions {
  /** Tells how long ago files were removed. */
  readonly clock: Clock;
  /** Whether removals are published; `all`: however many, a person has said so. */
  readonly publishRemovals: boolean | "all";
  /** The files that were examined in this process. */
  readonly examined: ExaminedFiles;
  /** Logs what is not taken to be removed. */
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
  readonly #records: FileRecords;
  readonly #options: RemovalGuardOptions;
  #missing: Missing | undefined;
  #isLogged = false;

  /** For the files in `directory`. */
  constructor(directory: FeedDirectory, records: FileRecords, options: RemovalGuardOptions) {
    this.#directory = directory;
    this.#records = records;
    this.#options = options;
  }

  /**
   * Finds the files that were seen before and are not listed any more, and trusts the directory if nothing
   * speaks against its being the one in which they were; otherwise it may be where a disk is not mounted,
   * and none is missing. Between two directories that differ in a few files, no feed was removed.
   */
  findMissing(listing: Listing, identity: string | undefined): string[] {
    this.#isLogged = false;
    const missing = this.#missing = this.#compare(listing);
    const { path } = this.#directory;
    const isSame = identity !== undefined && identity === this.#records.identityOf(path);
    if (!this.#isPlausible(missing, listing, { identity, isSame })) {
      this.#logOtherDirectory(missing, listing);
      return [];
    }
    this.#options.problems.resolved(`contents of ${path}`);
    const isTrusted = this.#directory.trusts(identity);
    this.#directory.trust(identity);
    const names = [...missing.names];
    if (isSame || isTrusted || this.#options.publishRemovals === "all") return names;
    for (const name of names) {
      const path = this.#directory.pathOf(name);
      this.#records.note(path, { url: this.#urlOf(name), hash: null });
    }
    return [];
  }

  /** Whether the directory can be the one in which files were seen, or is the one that a person means. */
  #isPlausible(
    { unexplained, seen }: Missing,
    { feeds }: Listing,
    { identity, isSame }: { readonly identity: string | undefined; readonly isSame: boolean },
  ): boolean {
    const { publishRemovals } = this.#options;
    if (this.#directory.trusts(identity) || publishRemovals === "all") return true;
    if (isSame && (feeds.size > 0 || publishRemovals === false)) return true;
    return unexplained <= seen * MAX_MISSING_PART;
  }

  #logOtherDirectory({ unexplained }: Missing, { feeds }: Listing): void {
    const { path } = this.#directory;
    const is = feeds.size === 0
      ? `is empty, and ${unexplained} files were seen in it`
      : `is another one than before, and ${unexplained} files that were seen are not in it`;
    this.#options.problems.problem(`contents of ${path}`, {
      text:
        `The feed directory '${path}' ${is}: they are not taken to be removed. Mount its disk, or ` +
        "put the files back; if they are gone for good, publish that with " +
        "'feedsync watch --once --remove-missing'",
    });
  }

  /** Why the file, which is gone, may not be taken to be removed; undefined when it may. */
  async refusal(name: string): Promise<"ignored" | "withheld" | undefined> {
    if (!this.#directory.trusts(await this.#directory.identity())) return "ignored";
    const { clock, publishRemovals } = this.#options;
    if (publishRemovals === "all") return undefined;
    if (!this.#missing?.names.has(name) || clock.elapsed() > this.#missing.expires) {
      // When all vanished at once, a listing without this file is without the others, too.
      this.#missing = this.#compare(await this.#directory.list());
    }
    if (this.#areFew(this.#missing)) return undefined;
    return publishRemovals ? "withheld" : "ignored";
  }

  #areFew({ unexplained, seen, removed }: Missing): boolean {
    const { path } = this.#directory;
    const { publishRemovals, problems } = this.#options;
    const gone = unexplained + removed, total = seen + removed;
    const subject = `removals from ${path}`;
    if (gone <= MAX_REMOVED || gone <= total * MAX_MISSING_PART) {
      problems.resolved(subject);
      return true;
    }
    if (publishRemovals && !this.#isLogged) {
      problems.problem(subject, { text: tooMany(path, { gone, total }) });
    }
    this.#isLogged = true;
    return false;
  }

  #compare({ feeds, problem }: Listing): Missing {
    const { path: directory } = this.#directory;
    const { clock } = this.#options;
    const seen = this.#records.seenIn(directory)
      .filter((path) => dirname(path) === directory)
      .map((path) => basename(path));
    const missing = seen.filter((name) => !feeds.has(name) && !problem?.isAbout(name));
    const since = clock.now() + this.#records.clockOffset - TOGETHER_MS;
    return {
      names: new Set(missing),
      unexplained: missing.filter((name) => !this.#isExplained(name)).length,
      seen: seen.length,
      removed: this.#records.removedSince(directory, since),
      expires: clock.elapsed() + MAX_LISTING_AGE_MS,
    };
  }

  /** Whether the feed is known to be gone, or is in another file. */
  #isExplained(name: string): boolean {
    const url = this.#urlOf(name);
    if (url === undefined) return false;
    return this.#records.newest(url)?.hash === null ||
      this.#options.examined.others(name, url).length > 0;
  }

  #urlOf(name: string): string | undefined {
    return this.#records.get(this.#directory.pathOf(name))?.url ?? urlOfName(name);
  }
}

function tooMany(path: string, { gone, total }: { gone: number; total: number }): string {
  return `${gone} of ${total} feed files in '${path}' are gone within an hour: so many are not taken ` +
    "for removed feeds. Put the files back, or publish that the feeds are gone: each with " +
    "'feedsync publish --remove URL', or all with 'feedsync watch --once --remove-missing'";
}
