/**
 * What all that read from the bucket at once share.
 *
 * @module
 */
import { Semaphore } from "../base/semaphore.ts";
import { MemoryBudget } from "./memory_budget.ts";

/** How many requests are made at once, over all streams and feeds. */
export const PARALLEL_REQUESTS = 8;

/** Bytes of what is decoded and being applied, over all streams: a hundred streams may catch up at once. */
const MAX_DECODED_BYTES = 128 * 1024 * 1024;

/** Bounds requests and memory. */
export class ReadingBudget {
  /** Bounds the requests under way: those of known streams go first. */
  readonly requests: Semaphore = new Semaphore(PARALLEL_REQUESTS);
  /** Bounds what is held decoded. */
  readonly decoded: MemoryBudget = new MemoryBudget(MAX_DECODED_BYTES);
}
