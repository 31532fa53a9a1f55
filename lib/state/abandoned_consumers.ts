/**
 * Consumers that nobody reads any more: their programs were removed, or the local API was.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { State } from "./state.ts";

const logger = getLogger(["feedsync", "consumers"]);

/** Batches of rows that are dropped at once when no consumer is left: more would block others. */
const MAX_BATCHES = 20;

/** The parts of a state that know consumers. */
type ConsumerState = Pick<
  State,
  "consumers" | "inbox" | "inboxUpkeep" | "transaction" | "walks"
>;

/** Forgets a consumer, and with the last one how far the inbox has come. */
export function forgetConsumer(
  state: ConsumerState,
  name: string,
): void {
  const { consumers, inbox, walks } = state;
  state.transaction(() => {
    consumers.delete(name);
    walks.forget(name);
    if (!inbox.isWanted()) inbox.leave();
  });
}

/**
 * Forgets consumers that nobody has read for the maximum age of the inbox, and tells so. Drops some
 * of what waits here if none is left.
 */
export function forgetAbandoned(state: ConsumerState, now: number): void {
  const { consumers, inbox, inboxUpkeep } = state, { maxAgeMs } = inboxUpkeep.limits();
  for (const name of consumers.unreadBefore(now - maxAgeMs)) {
    const days = Math.round(maxAgeMs / 8_640_000) / 10;
    const text = "Nobody has read the consumer {name} for {days} days: it is forgotten";
    logger.warn(text, { name, days });
    forgetConsumer(state, name);
  }
  if (inbox.isWanted()) return;
  for (let batch = 0; batch < MAX_BATCHES && inbox.firstRow() <= inbox.lastRow(); batch++) {
    state.transaction(() => inboxUpkeep.dropUpTo(inbox.lastRow()), { durable: false });
  }
}
