/**
 * Bodies of answers that are made while they are read.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";

/** A client that has not read for so long is given up. */
const IDLE_MS = 60_000;

/** Options of {@linkcode pulledBody}. */
export interface PulledBodyOptions {
  /** Measures how long the client does not read. */
  readonly clock: Clock;
  /** Ends the body. */
  readonly closing: AbortSignal;
  /** Taken until the body has ended. */
  readonly slot: Disposable;
}

/** A body of these pieces, which are made only as fast as the client reads them. */
export function pulledBody(
  pieces: AsyncIterator<Uint8Array>,
  options: PulledBodyOptions,
): ReadableStream<Uint8Array> {
  return new PulledBody(pieces, options).readable;
}

class PulledBody {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #options: PulledBodyOptions;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #cancelTimer = () => {};
  #isEnded = false;

  constructor(pieces: AsyncIterator<Uint8Array>, options: PulledBodyOptions) {
    this.#pieces = pieces;
    this.#options = options;
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
        options.closing.addEventListener("abort", this.#close, { once: true });
        this.#startTimer();
      },
      pull: () => this.#pull(),
      cancel: () => this.#end(),
    }, { highWaterMark: 0 });
  }

  /** What fails ends the body: the status is sent already. */
  async #pull(): Promise<void> {
    this.#cancelTimer();
    const { done, value } = await this.#pieces.next();
    if (this.#isEnded) return;
    if (done) return this.#close();
    this.#controller.enqueue(value);
    this.#startTimer();
  }

  #startTimer(): void {
    this.#cancelTimer = this.#options.clock.setTimer(IDLE_MS, this.#close);
  }

  readonly #close = () => {
    if (this.#isEnded) return;
    this.#end();
    this.#controller.close();
  };

  #end(): void {
    this.#isEnded = true;
    this.#cancelTimer();
    this.#options.closing.removeEventListener("abort", this.#close);
    this.#options.slot[Symbol.dispose]();
    Promise.resolve(this.#pieces.return?.()).catch(() => {});
  }
}
