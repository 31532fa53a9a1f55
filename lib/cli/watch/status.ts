/**
 * What `watch` tells of itself while it runs: the requests that users pay for, and what waits for them.
 *
 * @module
 */
import { connectionOf, type FeedSync } from "../../connection.ts";
import { type Clock, systemEnvironment } from "../../base/environment.ts";
import type { Watcher } from "../../reading/watcher.ts";
import { logger } from "../settings.ts";

/** How often it is logged. */
const INTERVAL_MS = 60 * 60 * 1000;

/** How many updates plugins could not apply. */
export function countDeadLetters(sync: FeedSync): number {
  return connectionOf(sync).parts?.state.deadLetters.count() ?? 0;
}

/** Tells when this server has everything that was in the bucket when it started. */
export function tellComplete(sync: FeedSync, { complete }: Pick<Watcher, "complete">): void {
  const tell = () => {
    const feeds = connectionOf(sync).parts!.state.newest.count();
    logger.info(feeds === 1 ? "Complete: 1 feed" : "Complete: {feeds} feeds", { feeds });
  };
  complete.then(tell).catch(() => {}); // What ended the watcher before that is told elsewhere.
}

/** Warns of updates that plugins could not apply: nobody but the user can see to them. */
export function tellDeadLetters(deadLetters: number): void {
  if (deadLetters === 0) return;
  const text = deadLetters === 1 ? "1 dead letter waits" : "{deadLetters} dead letters wait";
  logger.warn(`${text}, see \`feedsync dead-letters list\``, { deadLetters });
}

/**
 * Tells how many requests were sent, and how many commits to peers, since the start, and how many
 * dead letters there are: they have to be counted before `sync` is closed.
 */
export function tellStatus(sync: FeedSync, deadLetters: number = countDeadLetters(sync)): void {
  const { requests, wakeUps } = sync;
  logger.info("Requests: {put} PUT, {get} GET, {list} LIST, {delete} DELETE", {
    ...requests,
    deadLetters,
  });
  tellDeadLetters(deadLetters);
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
    cancel = clock.setTimer(INTERVAL_MS, () => {
      tellStatus(sync);
      wait();
    });
  };
  wait();
  return { [Symbol.dispose]: () => cancel() };
}
