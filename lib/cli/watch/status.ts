/**
 * Logs the status of `watch` while it runs: requests, which users pay for, and dead letters.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "../../connection.ts";
import { type Clock, systemEnvironment } from "../../base/environment.ts";
import type { Watcher } from "../../reading/watcher.ts";
import { logger } from "../settings.ts";

/** Delay between status messages. */
const INTERVAL_MS = 60 * 60 * 1000;

/** Number of updates that plugins could not apply. */
export function countDeadLetters(sync: FeedSync): number {
  return connectionOf(sync).parts?.state.deadLetters.count() ?? 0;
}

/** Logs when everything that was in the bucket at the start is applied. */
export function logComplete(sync: FeedSync, { complete }: Pick<Watcher, "complete">): void {
  const log = () => {
    const feeds = connectionOf(sync).parts!.state.newest.count();
    logger.info(feeds === 1 ? "Complete: 1 feed" : "Complete: {feeds} feeds", { feeds });
  };
  complete.then(log).catch(() => {}); // An error that ends the watcher is reported elsewhere.
}

/** Warns of dead letters, which may need a person. */
export function warnOfDeadLetters(deadLetters: number): void {
  if (deadLetters === 0) return;
  const text = deadLetters === 1 ? "1 dead letter waits" : "{deadLetters} dead letters wait";
  logger.warn(`${text}, see \`feedsync dead-letters list\``, { deadLetters });
}

/**
 * Logs the numbers of requests and of commits sent to peers since the start, and the number of dead
 * letters, which must be counted before `sync` is closed.
 */
export function logStatus(sync: FeedSync, deadLetters: number = countDeadLetters(sync)): void {
  const { requests, wakeUps } = sync;
  logger.info("Requests: {put} PUT, {get} GET, {list} LIST, {delete} DELETE", {
    ...requests,
    deadLetters,
  });
  warnOfDeadLetters(deadLetters);
  if (wakeUps.sent + wakeUps.dropped === 0) return;
  logger.info("Commits sent to peers: {sent}; dropped: {dropped}", { ...wakeUps });
}

/** Logs the status every hour, until it is disposed of. */
export function logStatusRegularly(
  sync: FeedSync,
  clock: Clock = systemEnvironment.clock,
): Disposable {
  let cancel = () => {};
  const wait = () => {
    cancel = clock.setTimer(INTERVAL_MS, () => {
      logStatus(sync);
      wait();
    });
  };
  wait();
  return { [Symbol.dispose]: () => cancel() };
}
