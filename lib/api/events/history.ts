/**
 * How this server was in the last half hour.
 *
 * @module
 */
import type { Clock } from "../../base/environment.ts";
import type { Counts, Sample } from "./data.ts";
import type { EventData } from "./schemas.ts";

/** Number of samples. */
const MAX_SAMPLES = 120;

/** Takes a sample of this server every 15 seconds, until it is closed. */
export class History {
  readonly #clock: Clock;
  readonly #sample: () => Sample;
  readonly #samples: Sample[] = [];
  #last: Counts = { published: 0, received: 0 };
  #cancelTimer = () => {};

  /** `sample` reads the numbers as they are. */
  constructor(sample: () => Sample, { clock, everyMs }: { clock: Clock; everyMs: number }) {
    this.#clock = clock;
    this.#sample = sample;
    this.#wait(everyMs);
  }

  /** The samples, the newest last: of counts, how many have come since the one before. */
  get numbers(): EventData["server"]["history"] {
    return {
      behindSeconds: this.#samples.map(({ behindSeconds }) => Math.round(behindSeconds ?? 0)),
      queued: this.#samples.map(({ queued }) => queued),
      published: this.#samples.map(({ published }) => published),
      received: this.#samples.map(({ received }) => received),
    };
  }

  /** Takes no more. */
  close(): void {
    this.#cancelTimer();
  }

  #wait(everyMs: number): void {
    this.#cancelTimer = this.#clock.setTimer(everyMs, () => {
      this.#wait(everyMs);
      try {
        this.#take();
      } catch {
        // The state cannot be read: there is no sample.
      }
    });
  }

  #take(): void {
    const now = this.#sample(), { published, received } = this.#last;
    this.#samples.push({
      ...now,
      published: now.published - published,
      received: now.received - received,
    });
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    this.#last = now;
  }
}
