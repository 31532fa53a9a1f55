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
 * Gives the present time to those of the rows whose time is not plausible by the store's clock: others
 * would never take it, and such an update is not kept beyond the retention. Nobody has seen these rows, as
 * each was corrected before it was first sent.
 */
export function correctTimes(
  { state, log }: Pick<Core, "state" | "log">,
  first: Row,
  last: Row,
): void {
  if (log.clockOffset === undefined) return; // The store has not told its time yet.
  const now = Math.round(log.now());
  const wrong = state.outbox.outsideTime(first, last, now + MAX_AHEAD_MS);
  if (wrong.length === 0) return;
  state.transaction(() => {
    for (const [index, { row, id, url }] of wrong.entries()) {
      const time = now + index; // Updates of a feed stay in their order.
      state.outbox.setTime(row, time);
      state.newest.setTime(url, id, time);
    }
  });
}
