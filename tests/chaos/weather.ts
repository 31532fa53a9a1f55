/**
 * What happens to requests on their way.
 *
 * @module
 */
import type { Chance } from "../sim/chance.ts";
import { pause } from "./waiting.ts";

/** Faults of single requests, and how often each is drawn, by weight. */
const FAULTS = {
  /** Forwarded, and answered after a while. */
  delay: 4,
  /** Forwarded; the connection ends before the answer. */
  answerLost: 3,
  /** The connection ends; the request is forwarded after that. */
  late: 2,
  /** 503 in place of forwarding. */
  unavailable: 2,
  /** 429 in place of forwarding. */
  throttled: 1,
  /** The connection ends in the middle of the answer's body. */
  answerCut: 2,
  /** Half the answer's body, with a length that says it is all. */
  answerShortened: 1,
  /** The connection ends, on both sides, in the middle of the request's body. */
  requestCut: 1,
  /** Forwarded, and not answered until the weather is calm. */
  hang: 0.2,
};

/** What may happen to a request; with `outage` no request gets through. */
export type Fault = keyof typeof FAULTS | "outage";

/** Draws what happens to each request. */
export class Weather {
  /** How often each fault has happened. */
  readonly counts = new Map<Fault, number>();
  readonly #chance: Chance;
  #share = 0;
  #outages = 0;
  #calmed = Promise.resolve();
  #beCalm = () => {};

  /** Calm weather. */
  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** From now on this share of the requests is disturbed. */
  storm(share: number): void {
    this.#share = share;
    this.#calmed = new Promise((resolve) => this.#beCalm = resolve);
  }

  /** No request gets through for so many milliseconds. */
  async outage(ms: number): Promise<void> {
    this.#outages++;
    await pause(ms);
    this.#outages--;
  }

  /** Nothing is disturbed any more, and what hangs is let go. */
  calm(): void {
    this.#share = 0;
    this.#beCalm();
  }

  /** When the weather is calm. */
  get calmed(): Promise<void> {
    return this.#calmed;
  }

  /** What happens to the next request. */
  draw(): Fault | undefined {
    const fault = this.#drawFault();
    if (fault) this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    return fault;
  }

  /** Some milliseconds up to `most`. */
  time(most: number): number {
    return this.#chance.between(0, most);
  }

  #drawFault(): Fault | undefined {
    if (this.#outages > 0) return "outage";
    return this.#chance.happens(this.#share) ? this.#chance.weighted(FAULTS) : undefined;
  }
}
