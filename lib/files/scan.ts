/**
 * Finds the files that changed, however long ago, by looking at all of them.
 *
 * @module
 */
import type { OnceLog } from "../base/once_log.ts";
import type { Examiner } from "./examine.ts";
import type { FeedDirectory, Listing } from "./feed_directory.ts";
import type { RemovalGuard } from "./removal_guard.ts";
import type { Outcome } from "./debounce.ts";
import { takeSnapshot } from "./snapshot.ts";

/** Files looked at side by side; more are not faster. */
const SIDE_BY_SIDE = 16;

/** Stands for the snapshot of a file that has none; equals no snapshot. */
const NO_VERSION = "";

/** What a look at the directory found. */
export interface Findings {
  /** Which directory it was, if it is the one with the files that were seen before. */
  readonly identity: string | undefined;
  /** Feed files in the directory. */
  readonly files: number;
  /** Those that may have changed or are missing, with the key of their snapshot. */
  readonly changed: ReadonlyMap<string, string>;
}

/** What the look is taken with. */
export interface ScanContext {
  /** The directory to look at. */
  readonly directory: FeedDirectory;
  /** Knows which files were there before. */
  readonly guard: RemovalGuard;
  /** Knows which files were examined in this process. */
  readonly examiner: Examiner;
  /** Where problems are told. */
  readonly problems: OnceLog;
}

/** Looks at the whole directory. Nothing is read that is certainly unchanged. */
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
      // What cannot be looked at is marked too: to be told when it is examined.
      const snapshot = await takeSnapshot(path, { alone: !listing.withDetails.has(name) })
        .catch(() => undefined);
      if (!snapshot || !examiner.isUnchanged(name, snapshot)) {
        changed.set(name, snapshot?.version ?? NO_VERSION);
      }
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, look));
  tellProblem(context, listing);
  for (const name of await guard.begin(listing, identity)) changed.set(name, NO_VERSION);
  const trusted = directory.trusts(identity) ? identity : undefined;
  return { identity: trusted, files: listing.feeds.size, changed };
}

function tellProblem({ directory, problems }: ScanContext, { problem }: Listing): void {
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

/** A look at the directory, while the files that it marked come to rest. */
export interface Look {
  /** Feed files in the directory. */
  readonly files: number;
  /** What becomes of each path that was marked. */
  readonly outcomes: ReadonlyMap<string, Promise<Outcome>>;
}

/** Waits for all outcomes of the look and counts them. */
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
