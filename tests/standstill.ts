/** Virtual time stands still while work goes on that takes real time on real threads. */
export class Standstill {
  #held = 0;

  /** Whether such work goes on. */
  get isHeld(): boolean {
    return this.#held > 0;
  }

  /** Has time stand still until `work` is done. */
  async hold<T>(work: () => T | Promise<T>): Promise<T> {
    this.#held++;
    try {
      return await work();
    } finally {
      this.#held--;
    }
  }
}
