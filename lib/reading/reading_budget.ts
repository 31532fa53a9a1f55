/**
 * Limits for everything that reads the bucket at the same time: polling and restoring.
 *
 * @module
 */
import { Semaphore } from "../base/semaphore.ts";
import { MemoryBudget } from "./memory_budget.ts";

/** Maximum number of concurrent requests, over all streams and feeds. */
export const PARALLEL_REQUESTS = 8;

/** Maximum memory of decoded updates in bytes: a hundred streams may catch up at the same time. */
const MAX_DECODED_BYTES = 128 * 1024 * 1024;

/** Limits requests and memory. */
export class ReadingBudget {
  /** Limits concurrent requests; known streams have priority. */
  readonly requests: Semaphore = new Semaphore(PARALLEL_REQUESTS);
  /** Limits the memory of decoded updates. */
  readonly decoded: MemoryBudget = new MemoryBudget(MAX_DECODED_BYTES);
}
