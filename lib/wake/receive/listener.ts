/**
 * Listens for messages: from peers about new commits, with the content, and about new peers; and
 * from the storage service about new objects.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../../base/environment.ts";
import { OnceLog } from "../../base/once_log.ts";
import { ConfigError, messageOf } from "../../errors.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import { MAX_UPDATE_BYTES } from "../../log/codec.ts";
import type { OnCommit, OnPresence, StartSource } from "../source.ts";
import { commitsRoute } from "./commits_route.ts";
import { eventsRoute } from "./events_route.ts";
import { presenceRoute } from "./presence_route.ts";
import { refuse, type Route } from "./route.ts";

const logger = getLogger(["feedsync", "wake"]);

/**
 * Maximum size of a body. A commit of one update of maximum size is a little larger than the
 * update; encryption turns it into text, which adds a third.
 */
const MAX_BODY_BYTES = Math.ceil(MAX_UPDATE_BYTES * 4 / 3) + 64 * 1024;

/**
 * Maximum number and total size of bodies read in parallel: anyone who knows the store's URL can
 * send them.
 */
const MAX_BODIES = 32, MAX_TOTAL_BYTES = 4 * MAX_BODY_BYTES;

/** Time limit for receiving a body. */
const BODY_TIMEOUT_MS = 10_000;

/** How long no message of a host must have been refused before its messages count as accepted. */
const QUIET_MS = 60_000;

/** Options of {@linkcode listen}. */
export interface ListenerOptions {
  /** The secret shared by all peers; without it no messages of peers are accepted. */
  readonly secret: string | undefined;
  /** The token that bucket events must carry; without it none are accepted. */
  readonly wakeToken: string | undefined;
  /** This server's bucket. */
  readonly log: BucketLog;
  /** Measures the time limit of bodies. */
  readonly clock: Clock;
  /** Called for each commit, with its content if a peer sent it. */
  readonly onCommit: OnCommit;
  /** Called for each presence that a peer sent. @default they are not received */
  readonly onPresence?: OnPresence | undefined;
}

/** Listens at the address of the configuration. */
export const startListener: StartSource = (
  { wake: { listen: address, secret, token: wakeToken } },
  { log, environment: { clock }, onPresence },
  onCommit,
) => listen(address!, { secret, wakeToken, log, clock, onCommit, onPresence });

/**
 * Listens at `address`, such as `0.0.0.0:7070`.
 *
 * @throws {ConfigError} when the address is in use, or does not belong to this machine.
 */
export function listen(address: string, options: ListenerOptions): AsyncDisposable {
  const colon = address.lastIndexOf(":");
  const hostname = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const listener = new Listener(options);
  // Unlike a graceful shutdown, aborting does not wait for bodies that never arrive.
  const stopping = new AbortController();
  try {
    const server = Deno.serve({
      signal: stopping.signal,
      hostname,
      port: Number(address.slice(colon + 1)),
      onListen: () => logger.info("Listening for peers at {address}", { address }),
      onError: (error) => {
        logger.error("Cannot answer a peer: {message}", { message: messageOf(error) });
        return new Response("Internal server error\n", { status: 500 });
      },
    }, async (request, { remoteAddr }) => {
      const response = await listener.answer(request), { hostname } = remoteAddr;
      if (response.status === 401) listener.warn(hostname, await response.clone().text());
      else if (response.ok) listener.noteAccepted(hostname);
      return response;
    });
    return {
      async [Symbol.asyncDispose]() {
        stopping.abort();
        await server.finished;
      },
    };
  } catch (cause) {
    const advice = "free it, or set another wake.listen";
    throw new ConfigError(`Cannot listen at ${address}: ${messageOf(cause)}; ${advice}`, { cause });
  }
}

class Listener {
  readonly #clock: Clock;
  readonly #routes = new Map<string, Route>();
  readonly #problems: OnceLog;
  #bodies = 0;
  #bytes = 0;

  constructor(options: ListenerOptions) {
    const { secret, wakeToken, clock, onPresence } = options;
    this.#clock = clock;
    this.#problems = new OnceLog(logger, clock);
    if (secret) this.#routes.set("/commits", commitsRoute({ ...options, secret }));
    if (secret && onPresence) {
      this.#routes.set("/presence", presenceRoute({ ...options, secret, onPresence }));
    }
    if (wakeToken) {
      this.#routes.set("/wake", eventsRoute({ ...options, store: options.log.url, wakeToken }));
    }
  }

  async answer(request: Request): Promise<Response> {
    const url = URL.parse(request.url);
    const route = url && this.#routes.get(url.pathname);
    if (!url) return refuse(400, "The Host header is malformed");
    if (!route) return refuse(404, "Not found");
    if (request.method !== "POST") return refuse(405, "Only POST is allowed");
    const size = Number(request.headers.get("content-length") ?? NaN);
    if (Number.isNaN(size)) return refuse(411, "Content-Length is required");
    const { maxBytes = MAX_BODY_BYTES } = route;
    if (size > maxBytes) return refuse(413, `The limit is ${maxBytes} bytes`);
    const refusal = route.admit(request, url);
    if (refusal) return refusal;
    if (this.#bodies >= MAX_BODIES || this.#bytes + size > MAX_TOTAL_BYTES) {
      return refuse(503, "Too many messages at once");
    }
    this.#bodies++;
    this.#bytes += size;
    try {
      const body = await readBody(request, size, this.#clock);
      if (body) return await route.take(request, body);
      return refuse(408, "Timed out waiting for the request body", { connection: "close" });
    } finally {
      this.#bodies--;
      this.#bytes -= size;
    }
  }

  /** Logs an unauthenticated message: it may come from a server with another secret. */
  warn(hostname: string, reason: string): void {
    this.#problems.problem(hostname, {
      text: "Refused a message from {hostname}: {reason}",
      properties: { hostname, reason: reason.trim() },
    });
  }

  /** Logs that the messages of a host are no longer refused; several servers may share its address. */
  noteAccepted(hostname: string): void {
    const message = {
      text: "Messages from {hostname} are no longer refused",
      properties: { hostname },
    };
    this.#problems.resolved(hostname, message, { quietMs: QUIET_MS });
  }
}

/**
 * Reads a body of exactly `size` bytes; undefined when it is shorter or longer, or does not come in
 * time. Then it stops receiving and frees the memory.
 */
export async function readBody(
  { body }: Request,
  size: number,
  clock: Clock,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(size); // Collecting chunks would take twice the memory.
  if (!body) return size === 0 ? bytes : undefined;
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch(() => {}); // Ends the read that waits, too.
  const cancelTimer = clock.setTimer(BODY_TIMEOUT_MS, stop);
  try {
    return await fill(bytes, reader) ? bytes : undefined;
  } catch {
    stop();
    return undefined; // The sender hung up, or sent too much.
  } finally {
    cancelTimer();
  }
}

/** Fills `bytes` from the stream; resolves to whether the stream had exactly that many. */
async function fill(
  bytes: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<boolean> {
  let filled = 0;
  for (let { value } = await reader.read(); value; { value } = await reader.read()) {
    bytes.set(value, filled);
    filled += value.length;
  }
  return filled === bytes.length;
}
