/**
 * How requests reach an S3 service: with Deno's own `fetch`, which obeys its proxy and certificate
 * settings. Here every request passes, retries of the SDK included, and is counted.
 *
 * @module
 */
import { FetchHttpHandler } from "@smithy/fetch-http-handler";
import type { Clock } from "../../base/environment.ts";
import { Meter } from "../meter.ts";
import type { RequestCounts } from "../store.ts";
import { clockOf } from "./answer_filter.ts";
import { retryable, RetryAfter } from "./retry_policy.ts";

/** A `Date` header tells whole seconds. */
const DATE_RESOLUTION_MS = 1_000;

/** Sends requests. */
export class Transport implements Disposable {
  /** Counts requests, and reads the store's clock from the answers. */
  readonly meter: Meter;
  /** What the SDK sends requests with. */
  readonly handler: FetchHttpHandler = new FetchHttpHandler({
    customFetch: (input) => this.#fetch(input as Request),
  });
  /** What the SDK fetches credentials with: that is not a request to the store. */
  readonly credentialsHandler: FetchHttpHandler = new FetchHttpHandler({
    customFetch: (input) => this.#send(input as Request),
  });
  readonly #retryAfter: RetryAfter;
  // With HTTP/1.1 a request that is given up takes its connection along. One of HTTP/2 would stay
  // in use even when it is dead, until the system notices.
  readonly #http = Deno.createHttpClient({ http2: false });

  /** A transport whose local clock is `clock`. */
  constructor(clock: Clock) {
    this.meter = new Meter(clock, DATE_RESOLUTION_MS);
    this.#retryAfter = new RetryAfter(clock);
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    this.#http.close();
  }

  async #fetch(request: Request): Promise<Response> {
    const refusal = this.#retryAfter.refusal();
    if (refusal) return refusal;
    this.meter.requests[kindOf(request)]++;
    const answered = this.meter.sent();
    const response = await this.#send(request);
    answered(clockOf((name) => response.headers.get(name)));
    return await this.#retryAfter.heed(response);
  }

  async #send(request: Request): Promise<Response> {
    try {
      // A signature holds for one address only: redirects are for the SDK to report.
      return await fetch(request, { client: this.#http, redirect: "manual" });
    } catch (error) {
      throw retryable(error);
    }
  }
}

function kindOf({ method, url }: Request): keyof RequestCounts {
  if (method === "PUT") return "put";
  if (method !== "GET") return "delete";
  return url.includes("list-type=2") ? "list" : "get";
}
