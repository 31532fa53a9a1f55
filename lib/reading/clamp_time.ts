/**
 * Updates that claim to be of a time that cannot be theirs.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/environment.ts";
import { OnceLog } from "../base/once_log.ts";
import type { StoredUpdate } from "../log/codec.ts";
import { isPlausible } from "../log/update_order.ts";
import type { State } from "../state/state.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Clamps the times of updates to the store's time. */
export class TimeClamp {
  readonly #state: State;
  readonly #problems: OnceLog;
  #last = 0;

  /** The state knows what is newest. */
  constructor(state: State, clock: Clock) {
    this.#state = state;
    this.#problems = new OnceLog(logger, clock);
  }

  /**
   * The update, as of `now` by the store's clock when its own time cannot be: then it is neither lost nor
   * newest for ever. Updates keep their order, and the one that is the newest of its URL its time, when it comes again.
   */
  clamp(stream: string, update: StoredUpdate, now: number): StoredUpdate {
    if (isPlausible(Date.parse(update.time), now)) return update;
    this.#problems.problem("time", {
      text:
        "{stream} dates an update {time}, before 1970 or more than a day ahead of the store's clock; " +
        "it and others are taken to be of the time they arrive",
      properties: { stream, time: update.time },
      kind: "ahead",
    });
    const newest = this.#state.newest.get(update.url);
    this.#last = Math.max(this.#last + 1, Math.round(now));
    const time = newest?.id === update.id ? newest.time : this.#last;
    return { ...update, time: new Date(time).toISOString() };
  }
}
