/**
 * Sealing and deleting go on beside the uploads, and hold up no commit.
 *
 * @module
 */
import type { StoreOptions } from "../stores/store.ts";
import type { UploadContext } from "./commit.ts";
import { collectGarbage, seal } from "./seal.ts";

/** Garbage is deleted when something is sealed, or so long after it is due. */
export const GARBAGE_DELAY_MS = 10_000;

/** Seals and deletes, one time after the other. */
export class Tidying {
  readonly #onEnd: () => void;
  #work: Promise<void> | undefined;
  #isRunning = false;

  /** Calls `onEnd` each time it has ended, and also when it has failed. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Whether it goes on at present. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Begins, after {@linkcode end} of the time before: seals first if it `isSealing`, then deletes garbage. */
  start(context: UploadContext, options: StoreOptions & { readonly isSealing: boolean }): void {
    this.#isRunning = true;
    this.#work = tidy(context, options).finally(() => {
      this.#isRunning = false;
      this.#onEnd();
    });
    this.#work.catch(() => {}); // `end` tells.
  }

  /**
   * Waits until what was started has ended.
   *
   * @throws what it has failed with, once.
   */
  async end(): Promise<void> {
    const work = this.#work;
    this.#work = undefined;
    await work;
  }
}

async function tidy(
  context: UploadContext,
  { isSealing, signal }: StoreOptions & { readonly isSealing: boolean },
): Promise<void> {
  if (isSealing) await seal(context, { signal });
  await collectGarbage(context, { overdueMs: isSealing ? 0 : GARBAGE_DELAY_MS, signal });
}
