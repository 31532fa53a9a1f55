/**
 * When requests to an S3 service are sent again, and how long they may take. All rules are here:
 *
 * 1. **Time.** A request has 15 seconds for an answer, and what its size needs at 32 kB a second. What is
 *    slower hangs: it is given up, and its connection with it.
 * 2. **Attempts.** The SDK makes three, with backoff: most failures pass at once.
 * 3. **Credentials** that are outdated are fetched anew, once for all requests that are refused meanwhile;
 *    then the request is sent again.
 * 4. **Retry-After** with status 429 or 503: nothing is sent before, for ten minutes at most. Requests get the
 *    answer that said so. Up to four seconds the SDK waits by itself.
 *
 * What fails in spite of this is the caller's: the uploader and polls try again for as long as they run.
 *
 * This is no decorator over {@linkcode ObjectStore}, since the rules hold for single requests: each page of
 * a listing and each batch of a delete has its own time, the SDK signs and counts each attempt, and new
 * credentials are for its client.
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

const ANSWER_MS = 15_000;
/** A slower connection hangs: about 32 kB a second. */
const MIN_BYTES_PER_MS = 32;

/** How often the SDK sends a request at most. */
export const MAX_ATTEMPTS = 3;

/** For so long the SDK waits by itself when the service asks for it; it cuts what is longer. */
const MAX_SDK_WAIT_MS = 4_000;

/** What asks for longer may be gone by then, such as a login page. */
const MAX_WAIT_MS = 10 * 60 * 1000;

/** An answer that asks to be left alone is no longer, or it is not kept. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Sends a request with the client and reads the answer, in the time that `deadline` gives. */
export type Request<T> = (client: S3Client, deadline: Deadline) => Promise<T>;

/** How a request is sent. */
export interface SendOptions extends StoreOptions {
  /** What it is for, in errors. */
  readonly doing: string;
  /** Bytes that it sends. @default {0} */
  readonly size?: number | undefined;
  /** The store's error for what the SDK threw while `doing` something. */
  readonly explain: (error: unknown, doing: string) => Error;
}

/** How long a request or answer of this size may take: milliseconds. */
export function timeFor(size: number): number {
  return ANSWER_MS + Math.round(size / MIN_BYTES_PER_MS);
}

/** Has the client make no further attempt while the service asks to be left alone: that takes too long. */
export async function heedRefusals({ config }: S3Client): Promise<void> {
  const strategy = await config.retryStrategy();
  if (!("refreshRetryTokenForRetry" in strategy)) return; // An old kind, which the SDK does not make.
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

/** Marks what failed on the way as what the SDK may try again: every request of ours may be repeated. */
export function retryable(error: unknown): unknown {
  // Services close connections at any time: `fetch` throws a TypeError then.
  return error instanceof TypeError ? Object.assign(error, { $retryable: {} }) : error;
}

/** Sends requests with one client, again where their credentials were outdated. */
export class Sender {
  readonly #client: S3Client;
  readonly #clock: Clock;
  readonly #canRenew: boolean;
  #renewing: Promise<unknown> | undefined;

  /** Credentials that the configuration gives cannot be renewed. */
  constructor(client: S3Client, { clock, canRenew }: { clock: Clock; canRenew: boolean }) {
    this.#client = client;
    this.#clock = clock;
    this.#canRenew = canRenew;
  }

  /** Sends a request; rejects with what `explain` makes of the failure, or with the signal's reason. */
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

/** An answer that asks to be left alone. */
interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** When requests may be sent again, by the time that elapses. */
  readonly until: number;
}

/** Keeps requests back while the service asks to be left alone. */
export class RetryAfter {
  readonly #clock: Clock;
  #refusal: Refusal | undefined;

  /** Nothing was asked for yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer that a request gets without being sent; undefined when it may be sent. */
  refusal(): Response | undefined {
    const refusal = this.#refusal;
    return refusal && this.#clock.elapsed() < refusal.until ? repeated(refusal) : undefined;
  }

  /** Takes note of an answer, and returns it as the SDK is to see it. */
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
 * For how long the service wants to be left alone, in milliseconds: it tells seconds, or a date by its own
 * clock, of which `localNow` knows less than the answer.
 */
function waitOf(headers: Headers, localNow: number): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  const now = clockOf((name) => headers.get(name)) ?? localNow;
  const date = dateOf(text);
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : date === undefined ? 0 : date - now;
  return ms > 0 ? Math.min(ms, MAX_WAIT_MS) : undefined;
}
