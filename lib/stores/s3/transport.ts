/**
 * Sends requests to an S3 service with Deno's own `fetch`, which obeys its proxy and certificate
 * settings. Every request passes here and is counted, including retries of the SDK.
 *
 * @module
 */
import type { Clock } from "../../base/environment.ts";
import type { Meter } from "../meter.ts";
import type { RequestCounts } from "../store.ts";
import { clockOf } from "./answer_filter.ts";
import { RequestHandler } from "./request_handler.ts";
import { retryable, RetryAfter } from "./retry_policy.ts";

/** Sends requests. */
export class Transport implements Disposable {
  /** Counts requests, and reads the store's clock from the answers. */
  readonly meter: Meter;
  /** Sends the requests of the SDK to the store. */
  readonly handler: RequestHandler = new RequestHandler((url, init) => this.#fetch(url, init));
  /** Sends the requests of the SDK for credentials, which do not count as requests to the store. */
  readonly credentialsHandler: RequestHandler = new RequestHandler((url, init) =>
    this.#send(url, init)
  );
  readonly #retryAfter: RetryAfter;
  // With HTTP/1.1 an aborted request closes its connection. With HTTP/2 a dead connection would
  // stay in use until the operating system notices.
  readonly #http = Deno.createHttpClient({ http2: false });

  /** Creates a transport with `clock` as the local clock, measured by `meter`. */
  constructor(clock: Clock, meter: Meter) {
    this.meter = meter;
    this.#retryAfter = new RetryAfter(clock);
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    this.#http.close();
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const refusal = this.#retryAfter.refusal();
    if (refusal) return refusal;
    this.meter.requests[kindOf(init.method, url)]++;
    const answered = this.meter.sent();
    const response = await this.#send(url, init);
    answered(clockOf((name) => response.headers.get(name)));
    return await this.#retryAfter.heed(response);
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    try {
      // A signature is valid for one address only, so the SDK reports redirects.
      return await fetch(url, { ...init, client: this.#http, redirect: "manual" });
    } catch (error) {
      throw retryable(error);
    }
  }
}

function kindOf(method: string | undefined, url: string): keyof RequestCounts {
  if (method === "PUT") return "put";
  if (method !== "GET") return "delete";
  return url.includes("list-type=2") ? "list" : "get";
}
