/**
 * Corrects implausible times. If the local clock is set, updates may be accepted with times years
 * ahead until the next answer of the store.
 *
 * @module
 */
import { MAX_AHEAD_MS } from "../log/update_order.ts";
import type { Row } from "../log/positions.ts";
import type { Core } from "../state/core.ts";

/**
 * Sets implausible times of queued rows to the present, if a row from `first` to `last`, the next
 * to be sent, has one: readers would not accept such a time, and cleanup would not keep the update.
 * This happens before a row is first sent, so nobody has seen the old time.
 */
export function correctTimes(
  { state, log }: Pick<Core, "state" | "log">,
  first: Row,
  last: Row,
): void {
  if (log.clockOffset === undefined) return; // The store's time is unknown.
  const now = Math.round(log.now()), latest = now + MAX_AHEAD_MS;
  if (state.outbox.outsideTime(first, last, latest).length === 0) return;
  state.transaction(() => {
    // All queued rows, since later ones must not have earlier times.
    const wrong = state.outbox.outsideTime(first, state.outbox.lastRow(), latest);
    for (const [index, { row, id, url }] of wrong.entries()) {
      const time = now + index; // Preserves the order of updates.
      state.outbox.setTime(row, time);
      state.newest.setTime(url, id, time);
    }
  });
}
