/**
 * Own updates for consumers that want them: several programs on one machine.
 *
 * @module
 */
import { asRow, plus } from "../log/positions.ts";
import type { Core } from "../state/core.ts";

/**
 * Takes the rows of the outbox that were uploaded into the inbox, if a consumer wants them. Call
 * this in the transaction that notes them as uploaded: then their place is final, and a crash
 * neither loses nor repeats them.
 */
export function takeUploaded(
  { state, environment: { clock } }: Pick<Core, "state" | "environment">,
): void {
  const { inbox, inboxUpkeep, consumers, outbox, ownStream } = state;
  if (!consumers.wantsOwn()) return;
  const own = ownStream.load(), last = own.uploadedRow;
  const first = plus(asRow(inbox.takenOwnRow()), 1);
  if (first > last) return;
  const rows = [...outbox.rows(first, last)];
  // An older version has uploaded rows without the inbox.
  if (rows[0]?.row !== first) {
    const { stream, seq } = state.placeOf(first, own), next = rows[0]?.row ?? plus(last, 1);
    inbox.lose({ stream, first: seq, last: seq + next - first - 1 }, clock.now());
  }
  const updates = rows.map(({ row, ...update }) => ({ ...update, ...state.placeOf(row, own) }));
  inbox.takeOwn(updates, clock.now());
  inbox.setTakenOwnRow(last);
  inboxUpkeep.bound();
}
