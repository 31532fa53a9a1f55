/**
 * Times that no honest clock tells. The clock here may be set after the store has told its own: what is
 * accepted until the next answer may then be years ahead.
 *
 * @module
 */
import { MAX_AHEAD_MS } from "../log/update_order.ts";
import type { Row } from "../log/positions.ts";
import type { Core } from "../state/core.ts";

/**
 * Gives the present time to queued rows whose time is not plausible by the store's clock, if one of those
 * from `first` to `last` is among them, which are to be sent: others would never take it, and such an update
 * is not kept beyond the retention. Nobody has seen them, as each is corrected before it is first sent.
 */
export function correctTimes(
  { state, log }: Pick<Core, "state" | "log">,
  first: Row,
  last: Row,
): void {
  if (log.clockOffset === undefined) return; // The store has not told its time yet.
  const now = Math.round(log.now()), latest = now + MAX_AHEAD_MS;
  if (state.outbox.outsideTime(first, last, latest).length === 0) return;
  state.transaction(() => {
    // All that are queued: later ones must not get earlier times.
    const wrong = state.outbox.outsideTime(first, state.outbox.lastRow(), latest);
    for (const [index, { row, id, url }] of wrong.entries()) {
      const time = now + index; // Updates of a feed stay in their order.
      state.outbox.setTime(row, time);
      state.newest.setTime(url, id, time);
    }
  });
}
