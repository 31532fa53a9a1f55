/**
 * How far consumers are behind.
 *
 * @module
 */
import type { ConsumerRow } from "../state/consumers.ts";
import type { State } from "../state/state.ts";
import type { ConsumerInfo } from "./consumer.ts";

/** How much a consumer has not acknowledged, and since when. */
export function lagOf(
  { inbox, walks }: State,
  consumer: ConsumerRow,
  now: number,
): Pick<ConsumerInfo, "behindUpdates" | "behindSeconds"> {
  const { name, row, own, createdAt } = consumer;
  const feeds = walks.left(name, consumer);
  const waitingSince = inbox.waitingSince(row, { own });
  const since = waitingSince ?? (feeds > 0 ? createdAt : now);
  return {
    behindUpdates: feeds + (waitingSince === undefined ? 0 : inbox.lastRow() - row),
    behindSeconds: Math.max(0, Math.round((now - since) / 1000)),
  };
}
