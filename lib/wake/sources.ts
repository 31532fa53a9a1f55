/**
 * The sources of wake-ups that the configuration names.
 *
 * @module
 */
import type { ResolvedConfig } from "../config/resolve.ts";
import type { Parts } from "../connection.ts";
import type { ObjectName } from "../log/names.ts";
import type { DeliveredCommit } from "../reading/delivered_commits.ts";

/** Is told of a commit, by a peer with what is in it. */
export type Hear = (name: ObjectName, delivered?: DeliveredCommit) => void;

/**
 * Begins to listen; each source is loaded only when it is used.
 *
 * @throws {ConfigError} when the address to listen at is in use, or not this machine's.
 */
export async function startWakeUps(
  { listen: address, secret, wakeToken, wake, s3 }: ResolvedConfig,
  { log, environment }: Parts,
  onCommit: Hear,
): Promise<AsyncDisposable> {
  await using sources = new AsyncDisposableStack();
  if (address !== undefined) {
    const { listen } = await import("./receive/listener.ts");
    sources.use(listen(address, { secret, wakeToken, log, clock: environment.clock, onCommit }));
  }
  for (const { sqs } of wake) {
    const { listenToQueue } = await import("./receive/queue.ts");
    sources.use(listenToQueue(sqs, { s3, store: log.url, environment, onCommit }));
  }
  return sources.move();
}
