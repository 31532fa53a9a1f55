/**
 * Limits for everything that reads the bucket at the same time: polling and restoring.
 *
 * @module
 */
import { Semaphore } from "../base/semaphore.ts";
import { MemoryBudget } from "./memory_budget.ts";

/** Maximum number of concurrent requests that read the log, over all streams. */
const PARALLEL_REQUESTS = 8;

/**
 * Maximum number of feeds restored at once, with one request each. A bucket takes 20 ms or more for a
 * GET of a few kilobytes: one after the other, 10,000 feeds would take minutes.
 */
export const PARALLEL_FEEDS = 16;

/** Maximum number of restored feeds that the plugins work on at once: a plugin may start a process for each. */
const PARALLEL_DELIVERIES = 6;

/** Maximum memory of decoded updates in bytes: a hundred streams may catch up at the same time. */
const MAX_DECODED_BYTES = 128 * 1024 * 1024;

/** Limits requests and memory. */
export class ReadingBudget {
  /** Limits concurrent requests; known streams have priority. */
  readonly requests: Semaphore = new Semaphore(PARALLEL_REQUESTS);
  /** Limits the requests that restore feeds, apart from those that read the log. */
  readonly restoring: Semaphore = new Semaphore(PARALLEL_FEEDS);
  /** Limits how many restored feeds the plugins work on. */
  readonly deliveries: Semaphore = new Semaphore(PARALLEL_DELIVERIES);
  /** Limits the memory of decoded updates. */
  readonly decoded: MemoryBudget = new MemoryBudget(MAX_DECODED_BYTES);
}
