/**
 * How far this server is behind, as it knows at any time.
 *
 * @module
 */
import type { Connection, Parts } from "../connection.ts";

/** For how long there has been something left to read; undefined when nothing is read. */
export function behindSeconds(
  { watcher }: Connection,
  { environment: { clock } }: Parts,
): number | undefined {
  const unread = watcher?.report()?.unreadSince.values();
  return unread && Math.max(0, ...unread.map((since) => clock.elapsed() - since)) / 1000;
}

/** For how long the oldest update has waited for its upload; 0 when none waits. */
export function queuedSeconds({ state, log }: Parts): number {
  const since = state.queuedSince();
  return since === undefined ? 0 : Math.max(0, log.now() - since) / 1000;
}
