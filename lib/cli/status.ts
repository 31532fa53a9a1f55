/**
 * What `watch` tells of itself while it runs: the requests that users pay for.
 *
 * @module
 */
import type { FeedSync } from "../connection.ts";
import { type Clock, systemEnvironment } from "../environment.ts";
import { logger } from "./settings.ts";

/** How often, in milliseconds. */
const INTERVAL = 60 * 60 * 1000;

/** Tells how many requests were sent, and how many commits to peers, since the start. */
export function tellStatus({ requests, wakeUps }: FeedSync): void {
  logger.info("Requests: {put} PUT, {get} GET, {list} LIST, {delete} DELETE", { ...requests });
  if (wakeUps.sent + wakeUps.dropped === 0) return;
  logger.info("Commits sent to peers: {sent}; dropped: {dropped}", { ...wakeUps });
}

/** Tells that every hour, until it is disposed of. */
export function tellStatusRegularly(
  sync: FeedSync,
  clock: Clock = systemEnvironment.clock,
): Disposable {
  let cancel = () => {};
  const wait = () => {
    cancel = clock.setTimer(INTERVAL, () => {
      tellStatus(sync);
      wait();
    });
  };
  wait();
  return { [Symbol.dispose]: () => cancel() };
}
