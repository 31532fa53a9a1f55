/**
 * Clamps updates that claim to be from the future.
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

  /** Creates a clamp that looks up the newest updates in `state`. */
  constructor(state: State, clock: Clock) {
    this.#state = state;
    this.#problems = new OnceLog(logger, clock);
  }

  /**
   * Returns the update. If its time is implausible, sets it to `now`, the time of the store: so the
   * update is neither lost nor the newest for ever. Clamped times preserve the order. An update
   * that is already the newest of its URL keeps its earlier clamped time when redelivered.
   */
  clamp(stream: string, update: StoredUpdate, now: number): StoredUpdate {
    if (isPlausible(Date.parse(update.time), now)) return update;
    this.#problems.problem("time", {
      text:
        "{stream} has an update with the time {time}, before 1970 or more than a day ahead of the " +
        "store's clock; such updates get the time of their arrival",
      properties: { stream, time: update.time },
      kind: "ahead",
    });
    const newest = this.#state.newest.get(update.url);
    this.#last = Math.max(this.#last + 1, Math.round(now));
    const time = newest?.id === update.id ? newest.time : this.#last;
    return { ...update, time: new Date(time).toISOString() };
  }
}
