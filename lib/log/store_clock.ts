/**
 * The store's clock, which all servers share. Each store measures how far the local clock is off
 * (`stores/meter.ts`); here that becomes the store's time.
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
  /** The store's time when it was noted last in this process, and when that was. */
  #noted: { readonly time: number; readonly elapsed: number } | undefined;

  /** Creates the clock of `store`, relative to the local clock. */
  constructor(
    store: Pick<ObjectStore, "clockOffset">,
    { clock, memory = new ProcessMemory() }: { clock: Clock; memory?: ClockMemory | undefined },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#memory = memory;
  }

  /**
   * The store's time, in milliseconds since 1970, by what was noted last. From then on a clock that
   * is never set measures it: the local clock may be set at any time.
   */
  now(): number {
    if (!this.#noted) return this.#clock.now() + this.#memory.clockOffset;
    return this.#noted.time + this.#clock.elapsed() - this.#noted.elapsed;
  }

  /** Updates the offset from the store's last answer. */
  note(): void {
    const { clockOffset } = this.#store;
    this.#memory.noteClockOffset(clockOffset);
    if (clockOffset === undefined) return;
    const time = this.#clock.now() + this.#memory.clockOffset;
    this.#noted = { time, elapsed: this.#clock.elapsed() };
  }
}

/** Remembers the offset until the process ends. */
class ProcessMemory implements ClockMemory {
  clockOffset = 0;

  noteClockOffset(offsetMs: number | undefined): void {
    this.clockOffset = offsetMs ?? this.clockOffset;
  }
}
