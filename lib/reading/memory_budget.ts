/**
 * Bounds how much is held at once.
 *
 * @module
 */

/** Something that tells how large it is. */
export interface Sized {
  /** Bytes of memory, roughly. */
  readonly size: number;
}

/** What is held until it is disposed of. */
export interface Held<T> extends Disposable {
  /** It. */
  readonly value: T;
}

/**
 * A budget for what is not known to be large before it is there: lets in one after the other until it is
 * used up, so that it is exceeded by one thing at most.
 */
export class MemoryBudget {
  readonly #maxBytes: number;
  #held = 0;
  readonly #waiting: (() => void)[] = [];

  /** Nothing is held yet. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Holds what `make` returns, which is called when the budget allows it. */
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
