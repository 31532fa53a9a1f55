/**
 * One publisher and three subscribers, each in a process of its own.
 *
 * @module
 */
import type { Range, Report } from "./arrivals.ts";
import type { Bare, ProgramInput, Published } from "./messages.ts";
import { Partner, type PartnerOptions } from "./partner.ts";

/** How many subscribers there are. */
export const SUBSCRIBERS = 3;

/** What a fleet is started with. */
export interface FleetOptions extends PartnerOptions {
  /** What all programs are told. */
  readonly input: ProgramInput;
}

/** The processes. They are ended when this is disposed of. */
export class Fleet implements AsyncDisposable {
  readonly #options: FleetOptions;
  readonly #publisher: Partner;
  readonly #subscribers: (Partner | undefined)[] = [];
  #published = 0;

  private constructor(options: FleetOptions, publisher: Partner) {
    this.#options = options;
    this.#publisher = publisher;
  }

  /** Starts the processes, and waits until all of them are ready. */
  static async start(options: FleetOptions): Promise<Fleet> {
    await using starting = new AsyncDisposableStack();
    const fleet = starting.use(
      new Fleet(options, await Partner.start("publisher", options.input, options)),
    );
    for (let index = 0; index < SUBSCRIBERS; index++) await fleet.startSubscriber(index);
    starting.move();
    return fleet;
  }

  /** Publishes a batch; resolves to the reports of all subscribers that are there. */
  async publish(count: number, tasks = 1): Promise<Published & { readonly reports: Report[] }> {
    this.#publisher.tell({ count, tasks });
    this.#published += count;
    const subscribers = this.#subscribers.filter((subscriber) => subscriber !== undefined);
    const [published, ...reports] = await Promise.all([
      this.#publisher.hear<Published>(),
      ...subscribers.map((subscriber) => this.#reportOf(subscriber)),
    ]);
    return { ...published, reports };
  }

  /** Milliseconds that bare requests take. */
  async bare(count: number): Promise<readonly number[]> {
    this.#publisher.tell({ bare: count });
    return (await this.#publisher.hear<Bare>()).times;
  }

  /** Ends a subscriber as it stands. */
  async stopSubscriber(index: number): Promise<void> {
    await this.#subscribers[index]?.[Symbol.asyncDispose]();
    this.#subscribers[index] = undefined;
  }

  /** Starts a subscriber, for the first time or again. */
  async startSubscriber(index: number): Promise<void> {
    const input = { ...this.#options.input, index };
    this.#subscribers[index] = await Partner.start("subscriber", input, this.#options);
  }

  /** What a subscriber has got until it got the last update: one that was away tells more than once. */
  async #reportOf(subscriber: Partner): Promise<Report> {
    const ranges: Range[] = [];
    for (;;) {
      const report = await subscriber.hear<Report>();
      ranges.push(...report.ranges);
      if (report.last === this.#published) return { ...report, ranges };
    }
  }

  /** Ends the processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [this.#publisher, ...this.#subscribers];
    await Promise.all(all.map((partner) => partner?.[Symbol.asyncDispose]()));
  }
}
