/**
 * Reading the bodies of requests into bounded memory, in bounded time.
 *
 * @module
 */
import { Deadline } from "../base/deadline.ts";
import type { Clock } from "../base/environment.ts";
import { MAX_UPDATE_BYTES } from "../log/codec.ts";
import { ApiError, tooBusy } from "./errors.ts";

/** Maximum size of a body with updates as JSON: the largest update in base64, or many small ones. */
export const MAX_BODY_BYTES: number = 4 * MAX_UPDATE_BYTES;

/** Maximum size of all bodies of the requests under way. */
const MAX_TOTAL_BYTES = 4 * MAX_BODY_BYTES;

/** Time limit for receiving a body. */
const BODY_TIMEOUT_MS = 30_000;

/** Options of {@linkcode Bodies}. */
export interface BodiesOptions {
  /** Measures the time limit. */
  readonly clock: Clock;
  /** Ends all reading. */
  readonly closing: AbortSignal;
}

/** The bodies of all requests under way. */
export class Bodies {
  readonly #options: BodiesOptions;
  #bytes = 0;

  /** Nothing is read yet. */
  constructor(options: BodiesOptions) {
    this.#options = options;
  }

  /** The body of a request; disposing of it gives its memory back. */
  of(request: Request): RequestBody {
    let reserved = 0;
    const reserve = (bytes: number) => {
      if (this.#bytes + bytes > MAX_TOTAL_BYTES) throw tooBusy("Too many large requests at once");
      this.#bytes += bytes;
      reserved += bytes;
    };
    return {
      read: (maxBytes) => this.#read(request, { maxBytes, reserve }),
      [Symbol.dispose]: () => {
        this.#bytes -= reserved;
        reserved = 0;
      },
    };
  }

  async #read(request: Request, { maxBytes, reserve }: ReadOptions): Promise<Uint8Array> {
    if (!request.body) return new Uint8Array();
    const size = request.headers.get("content-length");
    if (Number(size) > maxBytes) throw tooLarge(maxBytes);
    const { clock, closing } = this.#options;
    using deadline = new Deadline(clock, closing);
    deadline.allow(BODY_TIMEOUT_MS);
    try {
      if (size === null) return await readChunks(request.body, { deadline, maxBytes, reserve });
      reserve(Number(size)); // The server sees to it that there is no more.
      return await deadline.race(request.bytes());
    } catch (error) {
      throw error instanceof ApiError ? error : this.#unread();
    }
  }

  /** The error for a body that did not arrive: who hung up will not read it. */
  #unread(): ApiError {
    if (this.#options.closing.aborted) return tooBusy("The server is stopping");
    return new ApiError(408, {
      name: "RequestTimeoutError",
      message: "Timed out waiting for the request body",
      headers: { Connection: "close" },
    });
  }
}

/** The body of a request. */
export interface RequestBody extends Disposable {
  /**
   * Reads it.
   *
   * @throws {ApiError} when it is larger, late, or there is too much at once.
   */
  read(maxBytes: number): Promise<Uint8Array>;
}

interface ReadOptions {
  readonly maxBytes: number;
  readonly reserve: (bytes: number) => void;
}

/** Reads a body of unknown length, as far as it is not too large. */
async function readChunks(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { deadline, maxBytes, reserve }: ReadOptions & { readonly deadline: Deadline },
): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [], reader = body.getReader();
  try {
    for (let total = 0;;) {
      const { done, value } = await deadline.race(reader.read());
      if (done) return chunks.length === 1 ? chunks[0] : await new Blob(chunks).bytes();
      total += value.length;
      if (total > maxBytes) throw tooLarge(maxBytes);
      reserve(value.length);
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  }
}

function tooLarge(maxBytes: number): ApiError {
  return new ApiError(413, {
    name: "BodyTooLargeError",
    message: `The request body is larger than the limit of ${maxBytes} bytes`,
    headers: { Connection: "close" },
  });
}
