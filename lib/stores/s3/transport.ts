/**
 * How requests reach an S3 service: with Deno's own `fetch`, which obeys its proxy and certificate
 * settings. Here every request passes, retries of the SDK included, and is counted.
 *
 * @module
 */
import { FetchHttpHandler } from "@smithy/fetch-http-handler";
import type { Clock } from "../../base/environment.ts";
import { readAtMost } from "../../base/read_at_most.ts";
import { clockOffset } from "../clock_offset.ts";
import { RETRY_AFTER } from "./answers.ts";
import { clockOf, dateOf } from "./answer_filter.ts";
import type { RequestCounts } from "../store.ts";

/** A `Date` header tells whole seconds. */
const DATE_RESOLUTION = 1_000;

/** For so long the SDK waits by itself when the service asks for it; it cuts what is longer. Milliseconds. */
const SHORT_WAIT = 4_000;

/** What asks for longer may be gone by then, such as a login page: milliseconds. */
const LONGEST_WAIT = 10 * 60 * 1000;

/** An answer that asks to be left alone is no longer, or it is not kept: bytes. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** An answer that asks to be left alone. */
interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** When requests may be sent again, by the time that elapses. */
  readonly until: number;
}

/**
 * Sends requests, counts them, and reads the store's clock from the answers. While the service asks to be
 * left alone (`Retry-After`), nothing is sent: requests get the answer that said so.
 */
export class Transport implements Disposable {
  /** Requests sent so far. */
  readonly requests: RequestCounts = { put: 0, get: 0, list: 0, delete: 0 };
  /** See {@linkcode ObjectStore.clockOffset}. */
  clockOffset: number | undefined;
  /** What the SDK sends requests with. */
  readonly handler: FetchHttpHandler = new FetchHttpHandler({
    customFetch: (input) => this.#fetch(input as Request),
  });
  /** What the SDK fetches credentials with: that is not a request to the store. */
  readonly credentialsHandler: FetchHttpHandler = new FetchHttpHandler({
    customFetch: (input) => this.#send(input as Request),
  });
  readonly #clock: Clock;
  #refusal: Refusal | undefined;
  // With HTTP/1.1 a request that is given up takes its connection along. One of HTTP/2 would stay
  // in use even when it is dead, until the system notices.
  readonly #http = Deno.createHttpClient({ http2: false });

  /** A transport whose local clock is `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    this.#http.close();
  }

  async #fetch(request: Request): Promise<Response> {
    const refusal = this.#refusal;
    if (refusal && this.#clock.elapsed() < refusal.until) return repeated(refusal);
    this.requests[kindOf(request)]++;
    const sent = this.#clock.elapsed();
    const response = await this.#send(request);
    const received = this.#clock.now(), took = this.#clock.elapsed() - sent;
    const stamp = clockOf((name) => response.headers.get(name));
    if (stamp !== undefined) {
      this.clockOffset = clockOffset({ stamp, resolution: DATE_RESOLUTION, received, took });
    }
    return await this.#heed(response);
  }

  async #heed(response: Response): Promise<Response> {
    const { status, headers } = response;
    const wait = status === 429 || status === 503 ? waitOf(headers, this.#clock.now()) : undefined;
    if (wait === undefined) return response;
    const now = this.#clock.elapsed();
    const told = new Headers(headers);
    for (const name of ["content-encoding", "content-length", "date"]) told.delete(name);
    if (wait > SHORT_WAIT) {
      told.delete("retry-after");
      told.set(RETRY_AFTER, String(Math.ceil(wait / 1_000)));
    }
    const bytes = response.body ? await readAtMost(response.body, MAX_REFUSAL_BYTES) : undefined;
    const text = bytes === "too large" ? "" : new TextDecoder().decode(bytes);
    this.#refusal = { status, headers: told, text, until: now + wait };
    return repeated(this.#refusal);
  }

  async #send(request: Request): Promise<Response> {
    try {
      // A signature holds for one address only: redirects are for the SDK to report.
      return await fetch(request, { client: this.#http, redirect: "manual" });
    } catch (error) {
      // Services close connections at any time. Every request of ours may be repeated, and the SDK
      // does so when it is told that it may.
      throw error instanceof TypeError ? Object.assign(error, { $retryable: {} }) : error;
    }
  }
}

/**
 * For how long the service wants to be left alone, in milliseconds: it tells seconds, or a date by its own
 * clock, of which `localNow` knows less than the answer.
 */
function waitOf(headers: Headers, localNow: number): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  const now = clockOf((name) => headers.get(name)) ?? localNow;
  const date = dateOf(text);
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : date === undefined ? 0 : date - now;
  return ms > 0 ? Math.min(ms, LONGEST_WAIT) : undefined;
}

function repeated({ status, headers, text }: Refusal): Response {
  return new Response(text, { status, headers });
}

function kindOf({ method, url }: Request): keyof RequestCounts {
  if (method === "PUT") return "put";
  if (method !== "GET") return "delete";
  return url.includes("list-type=2") ? "list" : "get";
}
