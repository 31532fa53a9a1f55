/**
 * Limits how much memory is held at once.
 *
 * @module
 */

/** A value that knows its size. */
export interface Sized {
  /** Approximate memory use, in bytes. */
  readonly size: number;
}

/** A value that counts against the budget until it is disposed of. */
export interface Held<T> extends Disposable {
  /** The held value. */
  readonly value: T;
}

/**
 * A budget for values whose size is known only after they are made. It admits values until it is
 * used up, so it is exceeded by one value at most.
 */
export class MemoryBudget {
  readonly #maxBytes: number;
  #held = 0;
  readonly #waiting: (() => void)[] = [];

  /** Creates a budget of `maxBytes`. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Calls `make` when the budget allows it, and holds the value that it returns. */
  async hold<T extends Sized>(make: () => T): Promise<Held<T>> {
    while (this.#isFull()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      const value = make();
      this.#held += value.size;
      return { value, [Symbol.dispose]: () => this.#free(value.size) };
    } finally {
      this.#callNext();
    }
  }

  #isFull(): boolean {
    return this.#held >= this.#maxBytes;
  }

  #free(size: number): void {
    this.#held -= size;
    this.#callNext();
  }

  #callNext(): void {
    if (!this.#isFull()) this.#waiting.shift()?.();
  }
}
