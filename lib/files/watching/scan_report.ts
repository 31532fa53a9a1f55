/**
 * What came of a look at the directory.
 *
 * @module
 */
import type { Outcome } from "./debouncer.ts";

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
    foreign: [],
    unchanged: [],
    ignored: [],
    withheld: [],
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
    withheld: paths.withheld,
  };
}
