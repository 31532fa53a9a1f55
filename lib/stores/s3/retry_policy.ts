/**
 * How long a request to an S3 service may take, and when the same request is sent again:
 *
 * 1. **Time.** A request may take 15 seconds, plus the time that its size needs at 32 kB a second.
 *    A slower request is considered hung: it is aborted, and its connection closed.
 * 2. **Attempts.** The SDK makes up to three, with backoff: most failures are transient.
 * 3. **Credentials** that are outdated are fetched again, once for all requests that are refused
 *    meanwhile. Then the request is sent again.
 * 4. **Retry-After** with status 429 or 503: no request is sent before that time, for ten minutes
 *    at most. Until then requests get a copy of that answer. The SDK itself waits for up to four
 *    seconds.
 *
 * Some requests are sent again in a different form, where the answer is understood:
 *
 * - `create_bucket.ts` repeats the creation of a bucket without a region.
 * - `s3_store.ts` repeats a PUT with the checksum that the service requires.
 * - `listing.ts` repeats a listing without `start-after`, if the service refuses it or does not sort
 *   its keys.
 * - `delete.ts` deletes one by one the objects that a batch did not delete.
 *
 * If a request still fails, its caller decides: the uploader and the poll loop try again as long as
 * they run.
 *
 * This is not a decorator over {@linkcode ObjectStore}, since the rules apply to single requests:
 * each page of a listing and each batch of a delete has its own time limit, the SDK signs and
 * counts each attempt, and renewed credentials belong to its client.
 *
 * @module
 */
import type { S3Client } from "@aws-sdk/client-s3";
import type { Clock } from "../../base/environment.ts";
import { Deadline } from "../../base/deadline.ts";
import { readAtMost } from "../../base/read_at_most.ts";
import type { StoreOptions } from "../store.ts";
import { clockOf, dateOf } from "./answer_filter.ts";
import { headerOf, isOutdated, RETRY_AFTER } from "./answers.ts";

/** Time for any answer, whatever its size. */
const ANSWER_MS = 15_000;
/** Minimum transfer rate, about 32 kB a second; a slower connection is considered hung. */
const MIN_BYTES_PER_MS = 32;

/** Maximum number of attempts that the SDK makes for a request. */
export const MAX_ATTEMPTS = 3;

/** Longest wait that the SDK observes when the service asks for one; it shortens longer ones. */
const MAX_SDK_WAIT_MS = 4_000;

/**
 * Longest wait observed here: an answer that asks for more may come from a login page, for example.
 */
const MAX_WAIT_MS = 10 * 60 * 1000;

/** Longest body of a Retry-After response that is kept for replay. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Sends a request with the client and reads the answer, before `deadline`. */
export type Request<T> = (client: S3Client, deadline: Deadline) => Promise<T>;

/** Options of {@linkcode Sender.send}. */
export interface SendOptions extends StoreOptions {
  /** The purpose of the request, for error messages. */
  readonly doing: string;
  /** Size of the request body in bytes. @default {0} */
  readonly size?: number | undefined;
  /** Converts an error of the SDK to one of the store. */
  readonly explain: (error: unknown, doing: string) => Error;
}

/** How long a request or answer of this size may take, in milliseconds. */
export function timeFor(size: number): number {
  return ANSWER_MS + Math.round(size / MIN_BYTES_PER_MS);
}

/** Stops the attempts of the client when the service asked for a long wait with Retry-After. */
export async function heedRefusals({ config }: S3Client): Promise<void> {
  const strategy = await config.retryStrategy();
  if (!("refreshRetryTokenForRetry" in strategy)) return; // Old interface, unused by the SDK.
  const heeding: typeof strategy = {
    acquireInitialRetryToken: (scope) => strategy.acquireInitialRetryToken(scope),
    async refreshRetryTokenForRetry(token, reason) {
      if (headerOf(reason.error, RETRY_AFTER) !== undefined) throw reason.error;
      return await strategy.refreshRetryTokenForRetry(token, reason);
    },
    recordSuccess: (token) => strategy.recordSuccess(token),
  };
  config.retryStrategy = () => Promise.resolve(heeding);
}

/**
 * Marks a connection failure as retryable for the SDK: all requests of feedsync may be repeated.
 */
export function retryable(error: unknown): unknown {
  // Services may close connections at any time; then `fetch` throws a TypeError.
  return error instanceof TypeError ? Object.assign(error, { $retryable: {} }) : error;
}

/** Sends requests with one client, and again if the credentials were outdated. */
export class Sender {
  readonly #client: S3Client;
  readonly #clock: Clock;
  readonly #canRenew: boolean;
  #renewing: Promise<unknown> | undefined;

  /** Creates a sender; credentials from the configuration cannot be renewed (`canRenew`). */
  constructor(client: S3Client, { clock, canRenew }: { clock: Clock; canRenew: boolean }) {
    this.#client = client;
    this.#clock = clock;
    this.#canRenew = canRenew;
  }

  /**
   * Sends a request; rejects with the error that `explain` returns, or with the signal's reason.
   */
  async send<T>(request: Request<T>, options: SendOptions): Promise<T> {
    try {
      return await this.#attempt(request, options);
    } catch (error) {
      if (!this.#canRenew || !isOutdated(error)) throw error;
    }
    await this.#renewCredentials(options);
    return await this.#attempt(request, options);
  }

  async #renewCredentials({ doing, signal, explain }: SendOptions): Promise<void> {
    const renew = (client: S3Client) =>
      this.#renewing ??= client.config.credentials({ forceRefresh: true })
        .finally(() => this.#renewing = undefined);
    await this.#attempt(renew, { doing: `${doing}, renewing the credentials`, signal, explain });
  }

  async #attempt<T>(
    request: Request<T>,
    { doing, size = 0, signal, explain }: SendOptions,
  ): Promise<T> {
    signal?.throwIfAborted();
    using deadline = new Deadline(this.#clock, signal);
    deadline.allow(timeFor(size));
    try {
      return await deadline.race(request(this.#client, deadline));
    } catch (error) {
      signal?.throwIfAborted();
      throw explain(error, doing);
    }
  }
}

/** An answer with Retry-After. */
interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** When requests may be sent again, by the monotonic clock. */
  readonly until: number;
}

/** Holds requests back while the service asks to wait. */
export class RetryAfter {
  readonly #clock: Clock;
  #refusal: Refusal | undefined;

  /** Creates it, without any wait. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer for a request that must not be sent now; undefined when it may be sent. */
  refusal(): Response | undefined {
    const refusal = this.#refusal;
    return refusal && this.#clock.elapsed() < refusal.until ? repeated(refusal) : undefined;
  }

  /** Notes the Retry-After of an answer, and returns the answer for the SDK. */
  async heed(answer: Response): Promise<Response> {
    const { status, headers } = answer;
    const waitMs = status === 429 || status === 503
      ? waitOf(headers, this.#clock.now())
      : undefined;
    if (waitMs === undefined) return answer;
    const now = this.#clock.elapsed();
    const told = new Headers(headers);
    for (const name of ["content-encoding", "content-length", "date"]) told.delete(name);
    if (waitMs > MAX_SDK_WAIT_MS) {
      told.delete("retry-after");
      told.set(RETRY_AFTER, String(Math.ceil(waitMs / 1_000)));
    }
    const bytes = answer.body ? await readAtMost(answer.body, MAX_REFUSAL_BYTES) : undefined;
    const text = bytes === "too large" ? "" : new TextDecoder().decode(bytes);
    this.#refusal = { status, headers: told, text, until: now + waitMs };
    return repeated(this.#refusal);
  }
}

function repeated({ status, headers, text }: Refusal): Response {
  return new Response(text, { status, headers });
}

/**
 * The wait that the service asks for, in milliseconds. The header holds seconds, or a date by the
 * clock of the service; `localNow` stands in if the answer does not show that clock.
 */
function waitOf(headers: Headers, localNow: number): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  const now = clockOf((name) => headers.get(name)) ?? localNow;
  const date = dateOf(text);
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : date === undefined ? 0 : date - now;
  return ms > 0 ? Math.min(ms, MAX_WAIT_MS) : undefined;
}
