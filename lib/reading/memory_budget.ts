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
 * Room for what is not known to be large before it is there: lets in one after the other until it is
 * full, so that it holds at most one thing more than there is room for.
 */
export class Room {
  readonly #most: number;
  #held = 0;
  readonly #waiting: (() => void)[] = [];

  /** Room for so many bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Holds what `make` returns, which is called when there is room. */
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
    return this.#held >= this.#most;
  }

  #free(size: number): void {
    this.#held -= size;
    this.#callNext();
  }

  #callNext(): void {
    if (!this.#isFull()) this.#waiting.shift()?.();
  }
}
