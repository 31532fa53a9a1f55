/**
 * Scans the directory for files that changed, however long ago.
 *
 * @module
 */
import type { OnceLog } from "../base/once_log.ts";
import type { Examiner } from "./examine.ts";
import type { FeedDirectory, Listing } from "./feed_directory.ts";
import type { RemovalGuard } from "./removal_guard.ts";
import type { Outcome } from "./debounce.ts";
import { takeSnapshot } from "./snapshot.ts";

/** Files looked at in parallel; more are not faster. */
const MAX_PARALLEL = 16;

/** Stands for the version of a file that cannot be read; equals no version. */
const NO_VERSION = "";

/** What a scan found. */
export interface Findings {
  /** Identity of the directory, if it is the one with the files that were seen before. */
  readonly identity: string | undefined;
  /** Feed files in the directory. */
  readonly files: number;
  /** Files that may have changed, or are missing, with their versions. */
  readonly changed: ReadonlyMap<string, string>;
}

/** What a scan works with. */
export interface ScanContext {
  /** The directory to scan. */
  readonly directory: FeedDirectory;
  /** Knows which files were there before. */
  readonly guard: RemovalGuard;
  /** Knows which files were examined in this process. */
  readonly examiner: Examiner;
  /** Logs problems. */
  readonly problems: OnceLog;
}

/** Scans the whole directory without reading any file. */
export async function findChanges(
  context: ScanContext,
  signal?: AbortSignal,
): Promise<Findings> {
  const { directory, examiner, guard } = context;
  const identity = await directory.identity();
  const listing = await directory.list();
  const changed = new Map<string, string>();
  const names = listing.feeds.values();
  const look = async () => {
    for (const name of names) {
      signal?.throwIfAborted();
      const path = directory.readablePathOf(name);
      // A file that fails here is marked, too: the problem is logged when it is examined.
      const snapshot = await takeSnapshot(path, { alone: !listing.withDetails.has(name) })
        .catch(() => undefined);
      if (!snapshot || !examiner.isUnchanged(name, snapshot)) {
        changed.set(name, snapshot?.version ?? NO_VERSION);
      }
    }
  };
  await Promise.all(Array.from({ length: MAX_PARALLEL }, look));
  logProblem(context, listing);
  for (const name of await guard.begin(listing, identity)) changed.set(name, NO_VERSION);
  const trusted = directory.trusts(identity) ? identity : undefined;
  return { identity: trusted, files: listing.feeds.size, changed };
}

function logProblem({ directory, problems }: ScanContext, { problem }: Listing): void {
  const subject = `names in ${directory.path}`;
  if (problem) problems.problem(subject, { text: problem.message });
  else problems.resolved(subject);
}

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
}

/** A scan whose changed files are still being examined. */
export interface Look {
  /** Feed files in the directory. */
  readonly files: number;
  /** The outcome for each path that was marked. */
  readonly outcomes: ReadonlyMap<string, Promise<Outcome>>;
}

/** Waits for all outcomes and counts them. */
export async function reportOf({ files, outcomes }: Look): Promise<ScanReport> {
  const paths: Record<Outcome, string[]> = {
    published: [],
    removed: [],
    left: [],
    unchanged: [],
    ignored: [],
    failed: [],
    unsettled: [],
  };
  for (const [path, outcome] of outcomes) paths[await outcome].push(path);
  return {
    files,
    published: paths.published.length,
    removed: paths.removed.length,
    failed: paths.failed,
    unsettled: paths.unsettled,
  };
}
