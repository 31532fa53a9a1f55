/**
 * What nearly everything of a server stands on.
 *
 * @module
 */
import type { Environment } from "../base/environment.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import type { State } from "./state.ts";

/** The state of a server, the log in its bucket, and its clock. */
export interface Core {
  /** Everything that survives a crash. */
  readonly state: State;
  /** What is in the bucket. */
  readonly log: BucketLog;
  /** Time and randomness. */
  readonly environment: Environment;
}
