/**
 * What the readers of streams are given.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import type { UnreadableError } from "../errors.ts";
import type { ObjectName } from "../log/names.ts";
import type { Delivery } from "./delivery.ts";
import type { FetchContext } from "./fetch_ahead.ts";
import type { MemoryBudget } from "./memory_budget.ts";

/** What reading stands on. */
export interface ReadContext extends FetchContext, Core {
  /** Hands updates to the plugins and moves the cursor. */
  readonly delivery: Delivery;
  /** Bounds what is held decoded, over all streams. */
  readonly decoded: MemoryBudget;
  /** The stream could not be read on before: what was absent then is not looked for as long again. */
  readonly wasHeld: boolean;
  /** Commits that wake-ups told of while their stream was being read. */
  readonly announced: (stream: string) => readonly ObjectName[];
  /** Cursors of streams in which an object with the next update was seen, when the store gave no answer. */
  readonly unfetched: Map<string, number>;
  /** After so many milliseconds an unreadable object is given up. */
  readonly patience: number;
  /** Told of every object that is not what its key says, or for which a key is missing. */
  readonly onUnreadable: (error: UnreadableError) => void;
}

/** What is known of the tail of a stream. */
export interface TailNews {
  /** Commits. */
  readonly commits: readonly ObjectName[];
  /** These are all that there are: a listing showed them. Otherwise wake-ups told of some. */
  readonly isListing: boolean;
}
