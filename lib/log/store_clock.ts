/**
 * The store's clock, which all servers share.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";
import type { ObjectStore } from "../stores/store.ts";

/** Remembers the offset of the store's clock. */
export interface ClockMemory {
  /** Milliseconds to add to the local clock to get the store's time. */
  readonly clockOffset: number;
  /** Remembers an offset; ignores `undefined`. */
  noteClockOffset(offsetMs: number | undefined): void;
}

/** The store's time, derived from its answers. */
export class StoreClock {
  readonly #store: Pick<ObjectStore, "clockOffset">;
  readonly #clock: Clock;
  readonly #memory: ClockMemory;

  /** Creates the clock of `store`, relative to the local clock. */
  constructor(
    store: Pick<ObjectStore, "clockOffset">,
    { clock, memory = new ProcessMemory() }: { clock: Clock; memory?: ClockMemory | undefined },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#memory = memory;
  }

  /** The store's time in milliseconds since 1970. */
  now(): number {
    return this.#clock.now() + this.#memory.clockOffset;
  }

  /** Updates the offset from the store's last answer. */
  note(): void {
    this.#memory.noteClockOffset(this.#store.clockOffset);
  }
}

/** Remembers the offset until the process ends. */
class ProcessMemory implements ClockMemory {
  clockOffset = 0;

  noteClockOffset(offsetMs: number | undefined): void {
    this.clockOffset = offsetMs ?? this.clockOffset;
  }
}
