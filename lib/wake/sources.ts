/**
 * Sources of wake-ups, which announce new commits before the next poll.
 *
 * @module
 */
import type { ResolvedConfig } from "../config/resolve.ts";
import type { OnCommit, StartSource, WakeUpParts } from "./source.ts";

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
 * @throws {ConfigError} when the address to listen at is in use, or does not belong to this
 * machine.
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
