/**
 * The store's clock: the one that all servers share.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";
import type { ObjectStore } from "../stores/store.ts";

/** Remembers the store's clock from one run to the next. */
export interface ClockMemory {
  /** Milliseconds to add to the local clock to get the store's, as last noted. */
  readonly clockOffset: number;
  /** Notes the offset that the store's last answer shows; undefined when it showed none. */
  noteClockOffset(offsetMs: number | undefined): void;
}

/** Tells the store's time, as its answers have shown it. */
export class StoreClock {
  readonly #store: Pick<ObjectStore, "clockOffset">;
  readonly #clock: Clock;
  readonly #memory: ClockMemory;

  /** The clock of `store`, beside the local one. */
  constructor(
    store: Pick<ObjectStore, "clockOffset">,
    { clock, memory = new ProcessMemory() }: { clock: Clock; memory?: ClockMemory | undefined },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#memory = memory;
  }

  /** The store's time, in milliseconds since 1970, by what was noted last. */
  now(): number {
    return this.#clock.now() + this.#memory.clockOffset;
  }

  /** Notes what the store's last answer shows. */
  note(): void {
    this.#memory.noteClockOffset(this.#store.clockOffset);
  }
}

/** Remembers until the process ends. */
class ProcessMemory implements ClockMemory {
  clockOffset = 0;

  noteClockOffset(offsetMs: number | undefined): void {
    this.clockOffset = offsetMs ?? this.clockOffset;
  }
}
