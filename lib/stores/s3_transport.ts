/**
 * How requests reach an S3 service: with Deno's own `fetch`, which obeys its proxy and certificate
 * settings. Here every request passes, retries of the SDK included, and is counted.
 *
 * @module
 */
import { FetchHttpHandler } from "@smithy/fetch-http-handler";
import type { Clock } from "../environment.ts";
import { clockOffset } from "./clock_offset.ts";
import type { RequestCounts } from "./store.ts";

/** A `Date` header tells whole seconds. */
const DATE_RESOLUTION = 1_000;

/** Sends requests, counts them, and reads the store's clock from the answers. */
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
    this.requests[kindOf(request)]++;
    const sent = this.#clock.elapsed();
    const response = await this.#send(request);
    const received = this.#clock.now(), took = this.#clock.elapsed() - sent;
    const stamp = Date.parse(response.headers.get("date") ?? "");
    if (!Number.isNaN(stamp)) {
      this.clockOffset = clockOffset({ stamp, resolution: DATE_RESOLUTION, received, took });
    }
    return response;
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

function kindOf({ method, url }: Request): keyof RequestCounts {
  if (method === "PUT") return "put";
  if (method !== "GET") return "delete";
  return url.includes("list-type=2") ? "list" : "get";
}
