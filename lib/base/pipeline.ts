/**
 * Several pieces of work at a time, whose results are taken in the order in which they began.
 *
 * @module
 */

/** The pieces that are under way, of a limited number. */
export class Pipeline<Result> {
  readonly #width: number;
  readonly #onResult: (result: Result) => Promise<void>;
  /** The oldest first. */
  readonly #underWay: Promise<Result>[] = [];

  /** Calls `onResult` with one result after the other; at most `width` pieces are under way. */
  constructor(width: number, onResult: (result: Result) => Promise<void>) {
    this.#width = width;
    this.#onResult = onResult;
  }

  /** Whether the oldest piece must be finished before another one begins. */
  get isFull(): boolean {
    return this.#underWay.length >= this.#width;
  }

  /** Whether nothing is under way. */
  get isEmpty(): boolean {
    return this.#underWay.length === 0;
  }

  /** Adds a piece of work. */
  add(work: Promise<Result>): void {
    this.#underWay.push(work);
    if (this.#width > 1) work.catch(() => {}); // It is looked at later.
  }

  /** The piece that began `count` pieces before the next one, if it is still under way. */
  before(count: number): Promise<Result> | undefined {
    return this.#underWay.at(-count);
  }

  /** Waits for the oldest piece; rejects, and does not go on, if that fails. */
  async finishOldest(): Promise<void> {
    const result = await this.#underWay[0];
    this.#underWay.shift();
    await this.#onResult(result);
  }

  /** Waits for all pieces; rejects, and does not go on, if one fails. */
  async finish(): Promise<void> {
    while (this.#underWay.length > 0) await this.finishOldest();
  }

  /** Waits for all pieces, and takes the results of those before the first one that fails. */
  async giveUp(): Promise<void> {
    const ended = await Promise.allSettled(this.#underWay);
    for (const { status } of ended) {
      if (status === "rejected") return;
      await this.finishOldest();
    }
  }
}
