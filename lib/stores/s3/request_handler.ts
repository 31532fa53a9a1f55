/**
 * Sends the requests of the SDK with `fetch`. The handler of the SDK makes several objects and promises
 * for each request that are not needed here.
 *
 * @module
 */
import { readAtMost } from "../../base/read_at_most.ts";

/** Sends a request, as `fetch` does. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** A request as the SDK has it. */
export interface SdkRequest {
  readonly method: string;
  /** Such as `https:`. */
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>> | undefined;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/** An answer as the SDK represents it before it reads the body. */
export interface SdkResponse {
  readonly statusCode: number;
  headers: Record<string, string>;
  /** That of an object is a stream, any other is read already. */
  body?: unknown;
}

/** Maximum size of an answer that is not an object; enough for a page of 1,000 keys of maximum length. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Sends requests for clients of the SDK. */
export class RequestHandler {
  readonly #send: Send;

  /** Sends with `send`, by default Deno's own `fetch`. */
  constructor(send: Send = fetch) {
    this.#send = send;
  }

  /** Sends a request; aborts are reported as the SDK expects, which would otherwise retry them. */
  async handle(
    request: SdkRequest,
    { abortSignal: signal }: { readonly abortSignal?: unknown } = {},
  ): Promise<{ response: SdkResponse }> {
    const { method, headers, body } = request, abortSignal = signal as AbortSignal | undefined;
    try {
      abortSignal?.throwIfAborted();
      const answer = await this.#send(urlOf(request), {
        method,
        headers,
        body: method === "GET" ? null : body as BodyInit,
        signal: abortSignal ?? null,
      });
      const isObject = method === "GET" && request.query?.["list-type"] === undefined;
      return {
        response: {
          statusCode: answer.status,
          headers: Object.fromEntries(answer.headers),
          body: isObject ? answer.body ?? undefined : await bytesOf(answer),
        },
      };
    } catch (error) {
      if (!abortSignal?.aborted) throw error;
      throw new DOMException(String(abortSignal.reason), "AbortError");
    }
  }

  /** Called by the SDK, which has nothing to change here. */
  updateHttpClientConfig(): void {}

  /** Called by the SDK. */
  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

/** Size of a body, if its headers say it: `fetch` decompresses, and keeps the size before that. */
export function bodySize(
  { length, encoding }: { readonly length: unknown; readonly encoding: string | null | undefined },
): number {
  const size = encoding ? NaN : Number(length ?? NaN);
  return size >= 0 ? size : Infinity;
}

async function bytesOf(answer: Response): Promise<Uint8Array> {
  const { headers, body } = answer;
  const [length, encoding] = ["content-length", "content-encoding"].map((name) =>
    headers.get(name)
  );
  if (body === null || bodySize({ length, encoding }) <= MAX_ANSWER_BYTES) {
    return await answer.bytes();
  }
  return await readAnswer(body, MAX_ANSWER_BYTES);
}

/**
 * Reads an answer that is not an object.
 *
 * @throws {Error} when it is larger.
 */
export async function readAnswer(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const bytes = await readAtMost(body, maxBytes);
  if (bytes === "too large") throw new Error(`the answer has more than ${maxBytes} bytes`);
  return bytes;
}

function urlOf({ protocol, hostname, port, path, query = {} }: SdkRequest): string {
  const origin = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
  const members = Object.entries(query).flatMap(([name, value]) => {
    if (value === null) return encoded(name);
    return [value].flat().map((each) => `${encoded(name)}=${encoded(each)}`);
  });
  return `${origin}${path}${members.length > 0 ? "?" : ""}${members.join("&")}`;
}

/** Encodes a part of a query as it is signed. */
function encoded(text: string): string {
  const hex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replace(/[!'()*]/g, hex);
}
