/**
 * Sources of wake-ups: what tells this server about new commits before its next poll.
 *
 * @module
 */
import type { Environment } from "../base/environment.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import type { ObjectName } from "../log/names.ts";
import type { DeliveredCommit } from "../reading/delivered_commits.ts";

/** Called for each commit that a source reports, with its content if a peer sent that along. */
export type OnCommit = (name: ObjectName, delivered?: DeliveredCommit) => void;

/** What sources work with. */
export interface WakeUpParts {
  /** The bucket whose commits count. */
  readonly log: BucketLog;
  /** Time and randomness. */
  readonly environment: Environment;
}

/** Starts the sources of one kind that the configuration names. */
export type StartSource = (
  config: ResolvedConfig,
  parts: WakeUpParts,
  onCommit: OnCommit,
) => AsyncDisposable;

/** All kinds of sources; each is loaded only when it is configured. */
const SOURCES: readonly ((config: ResolvedConfig) => Promise<StartSource> | undefined)[] = [
  ({ wake: { listen } }) =>
    listen === undefined ? undefined : import("./receive/listener.ts").then((m) => m.startListener),
  ({ wake: { queues } }) =>
    queues.length === 0 ? undefined : import("./receive/queue.ts").then((m) => m.startQueues),
];

/**
 * Starts all sources that the configuration names.
 *
 * @throws {ConfigError} when the address to listen at is in use, or not this machine's.
 */
export async function startWakeUps(
  config: ResolvedConfig,
  parts: WakeUpParts,
  onCommit: OnCommit,
): Promise<AsyncDisposable> {
  await using sources = new AsyncDisposableStack();
  for (const load of SOURCES) {
    const start = await load(config);
    if (start) sources.use(start(config, parts, onCommit));
  }
  return sources.move();
}
