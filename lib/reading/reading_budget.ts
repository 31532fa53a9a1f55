/**
 * What all that read from the bucket at once share.
 *
 * @module
 */
import { Semaphore } from "../base/semaphore.ts";
import { MemoryBudget } from "./memory_budget.ts";

/** How many requests are made at once, over all streams. */
const PARALLEL_REQUESTS = 8;

/**
 * How many feeds are restored at once, with a request each. A GET of a few kilobytes takes a bucket 20 ms or more,
 * whatever else it does: one after the other, 10,000 feeds would take minutes.
 */
export const PARALLEL_FEEDS = 16;

/** How many of them are with the plugins at once: those may start a process for each. */
const PARALLEL_DELIVERIES = 6;

/** Bytes of what is decoded and being applied, over all streams: a hundred streams may catch up at once. */
const MAX_DECODED_BYTES = 128 * 1024 * 1024;

/** Bounds requests and memory. */
export class ReadingBudget {
  /** Bounds the requests under way: those of known streams go first. */
  readonly requests: Semaphore = new Semaphore(PARALLEL_REQUESTS);
  /** Bounds the requests that restore feeds: the log has to go on beside that. */
  readonly restoring: Semaphore = new Semaphore(PARALLEL_FEEDS);
  /** Bounds how many restored feeds are with the plugins. */
  readonly deliveries: Semaphore = new Semaphore(PARALLEL_DELIVERIES);
  /** Bounds what is held decoded. */
  readonly decoded: MemoryBudget = new MemoryBudget(MAX_DECODED_BYTES);
}
