/**
 * The clock that dates the files of a directory: on a network share it is another machine's.
 *
 * @module
 */
import { join } from "node:path";
import type { Clock } from "../base/environment.ts";
import { clockOffset } from "../stores/meter.ts";

/** Some file systems keep times to two seconds. */
const RESOLUTION_MS = 2_000;

/** A clock that was set by no more than this is not measured again. */
const TOLERANCE_MS = 1_000;

/** Tells how far the clock of a directory's files is from the store's. */
export class FileClock {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #store: { readonly clockOffset: number };
  #measured: { readonly localMs: number; readonly aheadMs: Promise<number> } | undefined;

  /** For the files in `directory`; `store` tells how far the store's clock is ahead of the local one. */
  constructor(directory: string, clock: Clock, store: { readonly clockOffset: number }) {
    this.#directory = directory;
    this.#clock = clock;
    this.#store = store;
  }

  /** Milliseconds to add to file times to get the store's. */
  async offset(): Promise<number> {
    // Changes only when the local clock is set.
    const localMs = this.#clock.now() - this.#clock.elapsed();
    if (!this.#measured || Math.abs(this.#measured.localMs - localMs) > TOLERANCE_MS) {
      this.#measured = { localMs, aheadMs: this.#measure() };
    }
    const { aheadMs } = this.#measured;
    return this.#store.clockOffset - await aheadMs;
  }

  /** How far file times are ahead of the local clock; 0 where no file can be written. */
  async #measure(): Promise<number> {
    const path = join(this.#directory, `.feedsync-${crypto.randomUUID()}.tmp`);
    const begun = this.#clock.elapsed();
    try {
      await Deno.writeTextFile(path, "", { createNew: true });
      const { mtime } = await Deno.stat(path);
      const received = this.#clock.now(), took = this.#clock.elapsed() - begun;
      const stamp = mtime?.getTime() ?? received;
      return clockOffset({ stamp, resolution: RESOLUTION_MS, received, took });
    } catch {
      return 0;
    } finally {
      await Deno.remove(path).catch(() => {});
    }
  }
}
