/**
 * Finds the files that changed, however long ago, by looking at all files of a directory.
 *
 * @module
 */
import type { OnceLog } from "../../base/once_log.ts";
import type { FeedDirectory, Listing } from "../feed_directory.ts";
import { readStatus } from "../file_status.ts";
import type { Outcome } from "./debouncer.ts";
import type { Examiner } from "./examiner.ts";
import type { RemovalGuard } from "./removal_guard.ts";

/** More are not faster. */
const MAX_AT_ONCE = 16;

/** Of a file that is gone, or whose status cannot be read; equals no other. */
const NO_FINGERPRINT = "";

/** What a scan did. */
export interface ScanReport {
  /** Feed files in the directory. */
  readonly files: number;
  /** Files whose content was published. */
  readonly published: number;
  /** Files whose removal was published. */
  readonly removed: number;
  /** Paths that could not be read or published; the log says why. */
  readonly failed: readonly string[];
  /** Paths of files that kept changing and were not read. */
  readonly unsettled: readonly string[];
  /**
   * Paths of files that are gone and not taken for removed feeds; or of the directory, when it may not be
   * the one in which files were seen before. The log says why.
   */
  readonly withheld: readonly string[];
}

/** What was found in the directory. */
export interface Findings {
  /** Which directory it was, if it is the one with the files that were seen before. */
  readonly identity: string | undefined;
  /** Whether files that were seen before are not in it, and are not taken to be gone. */
  readonly isWithheld: boolean;
  /** Feed files in the directory. */
  readonly files: number;
  /** Names of those that may have changed or are missing, with their fingerprints. */
  readonly changed: ReadonlyMap<string, string>;
}

/** What a scan needs. */
export interface ScanContext {
  /** The directory to scan. */
  readonly directory: FeedDirectory;
  /** Knows which files were there before. */
  readonly guard: RemovalGuard;
  /** Knows which files were examined in this process. */
  readonly examiner: Examiner;
  /** Logs what is wrong with the directory. */
  readonly problems: OnceLog;
}

/** Compares the status of all files with what was examined. No file is read. */
export async function findChanges(
  { directory, examiner, guard, problems }: ScanContext,
  signal: AbortSignal,
): Promise<Findings> {
  const identity = await directory.identity();
  const listing = await directory.list();
  const changed = new Map<string, string>();
  const names = listing.feeds.values();
  const look = async () => {
    for (const name of names) {
      signal.throwIfAborted();
      const path = directory.readablePathOf(name);
      const isAlone = !listing.described.has(name);
      // Without a status it is examined, too: that logs what is wrong.
      const status = await readStatus(path, { isAlone }).catch(() => undefined);
      if (status && examiner.isUnchanged(name, status)) continue;
      changed.set(name, status?.fingerprint ?? NO_FINGERPRINT);
    }
  };
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, look));
  logUnreadableNames(listing, `names in ${directory.path}`, problems);
  for (const name of guard.findMissing(listing, identity)) changed.set(name, NO_FINGERPRINT);
  const isTrusted = directory.trusts(identity);
  return {
    identity: isTrusted ? identity : undefined,
    isWithheld: !isTrusted,
    files: listing.feeds.size,
    changed,
  };
}

function logUnreadableNames({ problem }: Listing, subject: string, problems: OnceLog): void {
  if (problem) problems.problem(subject, { text: problem.message });
  else problems.resolved(subject);
}

/** A scan whose changed files are waiting to be examined. */
export interface RunningScan {
  /** Feed files in the directory. */
  readonly files: number;
  /** What becomes of each path that was marked. */
  readonly outcomes: ReadonlyMap<string, Promise<Outcome>>;
}

/** Waits until all files of the scan are examined, and counts the outcomes. */
export async function reportOn({ files, outcomes }: RunningScan): Promise<ScanReport> {
  const paths: Partial<Record<Outcome, string[]>> = {};
  for (const [path, outcome] of outcomes) (paths[await outcome] ??= []).push(path);
  const { published = [], removed = [], failed = [], unsettled = [], withheld = [] } = paths;
  return {
    files,
    published: published.length,
    removed: removed.length,
    failed,
    unsettled,
    withheld,
  };
}
