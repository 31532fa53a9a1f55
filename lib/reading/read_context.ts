/**
 * The context of the readers of streams.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import type { UnreadableError } from "../errors.ts";
import type { ObjectName } from "../log/names.ts";
import type { Delivery } from "./delivery.ts";
import type { FetchContext } from "./fetch_ahead.ts";
import type { MemoryBudget } from "./memory_budget.ts";

/** Dependencies of a stream reader. */
export interface ReadContext extends FetchContext, Core {
  /** Hands updates to the plugins and moves the cursor. */
  readonly delivery: Delivery;
  /** Bounds the memory of decoded objects, over all streams. */
  readonly decoded: MemoryBudget;
  /**
   * Whether the stream was held up before: then absent objects are not searched for as long again.
   */
  readonly wasHeld: boolean;
  /** Commits that wake-ups announced while their stream was being read. */
  readonly announced: (stream: string) => readonly ObjectName[];
  /** Per stream, the cursor at which the next object was listed but the GET failed. */
  readonly unfetched: Map<string, number>;
  /** How long to wait for an unreadable object before it is given up, in milliseconds. */
  readonly patienceMs: number;
  /** Called for each object that cannot be read. */
  readonly onUnreadable: (error: UnreadableError) => void;
}

/** News about the tail of a stream. */
export interface TailNews {
  /** The known commits. */
  readonly commits: readonly ObjectName[];
  /**
   * Whether a listing showed these commits, so that they are all; otherwise wake-ups announced
   * some.
   */
  readonly isListing: boolean;
}
