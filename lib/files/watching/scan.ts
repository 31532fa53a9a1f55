/**
 * Finds the files that changed, however long ago, by looking at all of them.
 *
 * @module
 */
import type { OnceLog } from "../../base/once_log.ts";
import type { Examiner } from "./examiner.ts";
import type { FeedDirectory, Listing } from "../feed_directory.ts";
import type { RemovalGuard } from "./removal_guard.ts";
import { readStatus } from "../file_status.ts";

/** Files looked at side by side; more are not faster. */
const SIDE_BY_SIDE = 16;

/** Stands for the status of a file that has none; equals no status. */
const NO_STAMP = "";

/** What a look at the directory found. */
export interface Findings {
  /** Which directory it was, if it is the one with the files that were seen before. */
  readonly identity: string | undefined;
  /** Files that were seen before are not in it, and are not taken to be gone. */
  readonly isWithheld: boolean;
  /** Feed files in the directory. */
  readonly files: number;
  /** Those that may have changed or are missing, with the key of their status. */
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
  /** Where problems are logged. */
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
      const status = await readStatus(path, { isAlone: !listing.withDetails.has(name) })
        .catch(() => undefined);
      if (!status || !examiner.isUnchanged(name, status)) {
        changed.set(name, status?.fingerprint ?? NO_STAMP);
      }
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, look));
  tellProblem(context, listing);
  for (const name of guard.begin(listing, identity)) changed.set(name, NO_STAMP);
  const isTrusted = directory.trusts(identity);
  return {
    identity: isTrusted ? identity : undefined,
    isWithheld: !isTrusted,
    files: listing.feeds.size,
    changed,
  };
}

function tellProblem({ directory, problems }: ScanContext, { problem }: Listing): void {
  const subject = `names in ${directory.path}`;
  if (problem) problems.problem(subject, { text: problem.message });
  else problems.resolved(subject);
}
