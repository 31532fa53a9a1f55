/**
 * Answers of JSON lines that are made while they are read.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";
import { errorResponse } from "./errors.ts";
import { NDJSON } from "./media_types.ts";

/** Lines are sent in chunks of about so many characters. */
const CHUNK_LENGTH = 64 * 1024;

/** A client that has not read for so long is given up. */
const IDLE_MS = 60_000;

/** Options of {@linkcode ndjsonResponse}. */
export interface StreamOptions {
  /** Measures how long the client does not read. */
  readonly clock: Clock;
  /** Ends the answer. */
  readonly closing: AbortSignal;
  /** Taken until the answer has ended. */
  readonly slot: Disposable;
}

/** An answer with these lines. An error that ends them is the last line. */
export function ndjsonResponse(lines: AsyncIterable<unknown>, options: StreamOptions): Response {
  return new Response(new LineStream(lines, options).readable, {
    headers: { "Content-Type": NDJSON },
  });
}

/** Makes lines only as fast as the client reads them. */
class LineStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #lines: AsyncIterator<unknown>;
  readonly #options: StreamOptions;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #cancelTimer = () => {};
  #isEnded = false;

  constructor(lines: AsyncIterable<unknown>, options: StreamOptions) {
    this.#lines = lines[Symbol.asyncIterator]();
    this.#options = options;
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
        options.closing.addEventListener("abort", this.#close, { once: true });
        this.#cancelTimer = options.clock.setTimer(IDLE_MS, this.#close);
      },
      pull: () => this.#pull(),
      cancel: () => this.#end(),
    }, { highWaterMark: 0 });
  }

  async #pull(): Promise<void> {
    this.#cancelTimer();
    let text = "", isLast = false;
    try {
      while (text.length < CHUNK_LENGTH && !isLast) {
        const { done, value } = await this.#lines.next();
        if (done) isLast = true;
        else text += `${JSON.stringify(value)}\n`;
        if (this.#isEnded) return;
      }
    } catch (error) {
      isLast = true;
      text += `${(await errorResponse(error).text()).trim()}\n`;
    }
    if (this.#isEnded) return;
    if (text !== "") this.#controller.enqueue(new TextEncoder().encode(text));
    if (isLast) return this.#close();
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
    Promise.resolve(this.#lines.return?.()).catch(() => {});
  }
}
