/**
 * The listener: hears from peers which commits are new, with what is in them, and from the service that
 * has the bucket which objects were written.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { MAX_UPDATE_BYTES } from "../../log/codec.ts";
import { commitsRoute } from "./commits_route.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import type { Clock } from "../../base/environment.ts";
import { ConfigError, messageOf } from "../../errors.ts";
import { eventsRoute } from "./events_route.ts";
import { Deadline } from "../../base/deadline.ts";
import { readBody } from "./read_body.ts";
import { refuse, type Route } from "./route.ts";
import type { Hear } from "../sources.ts";

const logger = getLogger(["feedsync", "wake"]);

/**
 * A larger body is refused; a commit of one update of the largest size is a little larger than it, and
 * by a third when it is encrypted: that makes text of it.
 */
const MOST_BYTES = Math.ceil(MAX_UPDATE_BYTES * 4 / 3) + 64 * 1024;

/** No more bodies are read at once, and no more bytes: whoever knows the store's URL gets that far. */
const SIDE_BY_SIDE = 32, BYTES_AT_ONCE = 4 * MOST_BYTES;

/** A body that takes longer is not waited for: milliseconds. */
const BODY_TIMEOUT = 10_000;

/** Strangers are told of in the log, at most once in so many milliseconds. */
const COMPLAINT_INTERVAL = 10 * 60 * 1000;

/** What a listener needs. */
export interface ListenerOptions {
  /** What peers sign with; without it no commits are taken. */
  readonly secret: string | undefined;
  /** What events of the bucket must bear; without it none are taken. */
  readonly wakeToken: string | undefined;
  /** Commits must be of this one. */
  readonly log: BucketLog;
  /** Timers. */
  readonly clock: Clock;
  /** Told of each commit, by a peer with what is in it. */
  readonly onCommit: Hear;
}

/**
 * Listens at `address`, such as `0.0.0.0:7070`.
 *
 * @throws {ConfigError} when it is in use, or not this machine's.
 */
export function listen(address: string, options: ListenerOptions): AsyncDisposable {
  const colon = address.lastIndexOf(":");
  const hostname = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const listener = new Listener(options);
  // Unlike a graceful shutdown, this waits for no stranger whose message does not come.
  const stopping = new AbortController();
  try {
    const server = Deno.serve({
      signal: stopping.signal,
      hostname,
      port: Number(address.slice(colon + 1)),
      onListen: () => logger.info("Listening for peers at {address}", { address }),
      onError: (error) => {
        logger.error("Cannot answer a peer: {message}", { message: messageOf(error) });
        return new Response("It failed\n", { status: 500 });
      },
    }, async (request, { remoteAddr }) => {
      const response = await listener.answer(request);
      if (response.status === 401) {
        listener.complain(remoteAddr.hostname, await response.clone().text());
      }
      return response;
    });
    return {
      async [Symbol.asyncDispose]() {
        stopping.abort();
        await server.finished;
      },
    };
  } catch (cause) {
    throw new ConfigError(`Cannot listen at ${address}: ${messageOf(cause)}`, { cause });
  }
}

class Listener {
  readonly #options: ListenerOptions;
  readonly #routes = new Map<string, Route>();
  #reading = 0;
  #bytes = 0;
  #nextComplaint = -Infinity;

  constructor(options: ListenerOptions) {
    const { secret, wakeToken } = this.#options = options;
    if (secret) this.#routes.set("/commits", commitsRoute({ ...options, secret }));
    if (wakeToken) {
      this.#routes.set("/wake", eventsRoute({ ...options, store: options.log.url, wakeToken }));
    }
  }

  async answer(request: Request): Promise<Response> {
    const url = URL.parse(request.url);
    const route = url && this.#routes.get(url.pathname);
    if (!url) return refuse(400, "Its host is malformed");
    if (!route) return refuse(404, "There is nothing here");
    if (request.method !== "POST") return refuse(405, "Only POST is known here");
    const size = Number(request.headers.get("content-length") ?? NaN);
    if (Number.isNaN(size)) return refuse(411, "Its length is not told");
    if (size > MOST_BYTES) return refuse(413, `It is larger than ${MOST_BYTES} bytes`);
    const refusal = route.admit(request, url);
    if (refusal) return refusal;
    if (this.#reading >= SIDE_BY_SIDE || this.#bytes + size > BYTES_AT_ONCE) {
      return refuse(503, "Too much at once");
    }
    this.#reading++;
    this.#bytes += size;
    try {
      const body = await this.#read(request, size);
      if (!body) return refuse(408, "It does not come", { connection: "close" });
      return await route.take(request, body);
    } finally {
      this.#reading--;
      this.#bytes -= size;
    }
  }

  /** Tells that a stranger was refused: it may be a server that was given another secret. */
  complain(hostname: string, reason: string): void {
    const now = this.#options.clock.elapsed();
    if (now < this.#nextComplaint) return;
    this.#nextComplaint = now + COMPLAINT_INTERVAL;
    logger.warn("A message from {hostname} was refused: {reason}", {
      hostname,
      reason: reason.trim(),
    });
  }

  /** The body, of the length that was told; undefined when it does not come in time. */
  async #read(request: Request, size: number): Promise<Uint8Array | undefined> {
    using deadline = new Deadline(this.#options.clock, undefined);
    deadline.allow(BODY_TIMEOUT);
    return await readBody(request, size, deadline.signal);
  }
}
