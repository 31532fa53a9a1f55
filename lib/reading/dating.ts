/**
 * When updates were published, as far as that can be believed.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { StoredUpdate } from "../log/codec.ts";
import { OnceLog } from "../base/once_log.ts";
import type { Environment } from "../base/environment.ts";
import { isPlausible } from "../state/newest.ts";
import type { State } from "../state/state.ts";
import type { ObjectStore } from "../stores/store.ts";

const logger = getLogger(["feedsync", "watch"]);

/** What tells the time. */
export interface DatingOptions {
  /** Knows how far the store's clock was from this machine's. */
  readonly state: State;
  /** By whose clock updates are dated. */
  readonly store: ObjectStore;
  /** The clock of this machine. */
  readonly environment: Environment;
}

/** The store's clock, as last heard, in milliseconds since 1970. */
export function storeTime({ state, store, environment: { clock } }: DatingOptions): number {
  return clock.now() + (store.clockOffset ?? state.clockOffset);
}

/** Dates updates by the store's clock. */
export class Dating {
  readonly #options: DatingOptions;
  readonly #problems: OnceLog;
  #last = 0;

  /** By these clocks. */
  constructor(options: DatingOptions) {
    this.#options = options;
    this.#problems = new OnceLog(logger, options.environment.clock);
  }

  /** The store's clock, as last heard, in milliseconds since 1970. */
  now(): number {
    return storeTime(this.#options);
  }

  /**
   * The update, as of now when its own time cannot be: then it is neither lost nor newest for ever.
   * Updates keep their order, and the one that is the newest of its URL its time, when it comes again.
   */
  date(stream: string, update: StoredUpdate): StoredUpdate {
    const now = this.now();
    if (isPlausible(Date.parse(update.time), now)) return update;
    this.#problems.problem("time", {
      text:
        "{stream} dates an update {time}, more than a day ahead of the store's clock; it and others " +
        "are taken to be of the time they arrive",
      properties: { stream, time: update.time },
      kind: "ahead",
    });
    const newest = this.#options.state.newest.get(update.url);
    this.#last = Math.max(this.#last + 1, Math.round(now));
    const time = newest?.id === update.id ? newest.time : this.#last;
    return { ...update, time: new Date(time).toISOString() };
  }
}
