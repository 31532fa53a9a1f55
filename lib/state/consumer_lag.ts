/**
 * How far consumers are behind.
 *
 * @module
 */
import type { ConsumerRow } from "./consumers.ts";
import type { State } from "./state.ts";

/** What a consumer has not acknowledged. */
export interface ConsumerLag {
  /** Number of updates; own ones may count for a consumer that is not handed them. */
  readonly behindUpdates: number;
  /** Seconds since the oldest of them arrived here; 0 when there is none. */
  readonly behindSeconds: number;
}

/** How much a consumer has not acknowledged, and since when. */
export function lagOf(
  { inbox, walks }: Pick<State, "inbox" | "walks">,
  consumer: ConsumerRow,
  now: number,
): ConsumerLag {
  const { name, row, own, createdAt } = consumer;
  const feeds = walks.left(name, consumer);
  const waitingSince = inbox.waitingSince(row, { own });
  const since = waitingSince ?? (feeds > 0 ? createdAt : now);
  return {
    behindUpdates: feeds + (waitingSince === undefined ? 0 : inbox.lastRow() - row),
    behindSeconds: Math.max(0, Math.round((now - since) / 1000)),
  };
}
