/**
 * The listener: hears from peers which commits are new, with what is in them, and from the service that
 * has the bucket which objects were written.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import { decodeBody, MAX_UPDATE_BYTES } from "../codec.ts";
import type { Clock } from "../environment.ts";
import { ConfigError, CorruptObjectError, messageOf } from "../errors.ts";
import type { ObjectName } from "../keys.ts";
import type { DeliveredCommit } from "../reading/delivered_commits.ts";
import { objectOfMessage } from "./message_id.ts";
import { commitsIn } from "./s3_events.ts";
import { Signer, TOLERANCE } from "./signature.ts";

const logger = getLogger(["feedsync", "wake"]);

/** A larger body is refused; a commit of one update of the largest size is a little larger than it. */
const MOST_BYTES = MAX_UPDATE_BYTES + 64 * 1024;

/** No more bodies are read at once: nobody knows yet who sends them. */
const SIDE_BY_SIDE = 32;

/** A body that takes longer is not waited for: milliseconds. */
const BODY_TIMEOUT = 10_000;

/** More messages are not remembered. */
const MOST_IDS = 100_000;

/** What a listener needs. */
export interface ListenerOptions {
  /** What peers sign with; without it no commits are taken. */
  readonly secret: string | undefined;
  /** What events of the bucket must bear; without it none are taken. */
  readonly wakeToken: string | undefined;
  /** URL of the store that commits must be of. */
  readonly store: string;
  /** Milliseconds since 1970 by the store's clock, on which servers agree. */
  readonly now: () => number;
  /** Timers. */
  readonly clock: Clock;
  /** Told of each commit, by a peer with what is in it. */
  readonly onCommit: (name: ObjectName, delivered?: DeliveredCommit) => void;
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
  try {
    return Deno.serve({
      hostname,
      port: Number(address.slice(colon + 1)),
      onListen: () => logger.info("Listening for peers at {address}", { address }),
      onError: (error) => {
        logger.error("Cannot answer a peer: {message}", { message: messageOf(error) });
        return new Response("It failed\n", { status: 500 });
      },
    }, (request) => listener.answer(request));
  } catch (cause) {
    throw new ConfigError(`Cannot listen at ${address}: ${messageOf(cause)}`, { cause });
  }
}

class Listener {
  readonly #options: ListenerOptions;
  readonly #routes = new Map<string, (request: Request, body: Uint8Array) => Response>();
  /** When each message came, oldest first: none is taken twice. */
  readonly #ids = new Map<string, number>();
  #reading = 0;

  constructor(options: ListenerOptions) {
    const { secret, wakeToken: token } = this.#options = options;
    const signer = secret && new Signer(secret);
    if (signer) this.#routes.set("/commits", (...message) => this.#takeCommit(signer, ...message));
    if (token) this.#routes.set("/wake", (...message) => this.#takeEvent(token, ...message));
  }

  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const take = this.#routes.get(pathname);
    if (!take) return refuse(404, "There is nothing here");
    if (request.method !== "POST") return refuse(405, "Only POST is known here");
    const size = Number(request.headers.get("content-length") ?? NaN);
    if (Number.isNaN(size)) return refuse(411, "Its length is not told");
    if (size > MOST_BYTES) return refuse(413, `It is larger than ${MOST_BYTES} bytes`);
    if (this.#reading >= SIDE_BY_SIDE) return refuse(503, "Too much at once");
    this.#reading++;
    try {
      const body = await this.#read(request);
      return body ? take(request, body) : refuse(408, "Its body does not come");
    } finally {
      this.#reading--;
    }
  }

  /** A commit of a peer. */
  #takeCommit(signer: Signer, { headers }: Request, body: Uint8Array): Response {
    const { store, now, onCommit } = this.#options;
    const id = signer.verify(headers, body, now());
    if (id === undefined) {
      return refuse(401, "It is not signed with the secret of this server, or clocks differ");
    }
    const name = objectOfMessage(id, store);
    if (name?.kind !== "tail") return refuse(409, `It is no commit of ${store}`);
    if (!this.#isNew(id)) return refuse(409, "It came before");
    try {
      onCommit(name, { name, updates: decodeBody(name, body), size: body.length });
      return done();
    } catch (error) {
      if (error instanceof CorruptObjectError) return refuse(400, error.message);
      throw error;
    }
  }

  /** An event of a bucket. */
  #takeEvent(token: string, { url, headers }: Request, body: Uint8Array): Response {
    const given = new URL(url).searchParams.get("token") ??
      headers.get("authorization")?.replace(/^Bearer /, "");
    if (!isSame(given ?? "", token)) {
      return refuse(401, "It does not bear the token of this server");
    }
    const { store, onCommit } = this.#options;
    try {
      const commits = commitsIn(JSON.parse(new TextDecoder().decode(body)), store);
      if (!commits) return refuse(400, "It is no event of a bucket");
      for (const name of commits) onCommit(name);
      return done();
    } catch (error) {
      if (error instanceof SyntaxError) return refuse(400, "It is no JSON");
      throw error;
    }
  }

  /** The body; undefined when it does not come in time. */
  #read(request: Request): Promise<Uint8Array | undefined> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
    const cancel = this.#options.clock.setTimer(BODY_TIMEOUT, () => resolve(undefined));
    request.bytes().then(resolve, () => resolve(undefined));
    return promise.finally(cancel);
  }

  #isNew(id: string): boolean {
    const now = this.#options.now();
    for (const [old, came] of this.#ids) {
      if (now - came <= 2 * TOLERANCE && this.#ids.size < MOST_IDS) break;
      this.#ids.delete(old);
    }
    if (this.#ids.has(id)) return false;
    this.#ids.set(id, now);
    return true;
  }
}

function done(): Response {
  return new Response(null, { status: 204 });
}

/** Compares in a time that does not tell how much is right. */
function isSame(given: string, token: string): boolean {
  const [one, other] = [given, token].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(one, other);
}

function refuse(status: number, message: string): Response {
  return new Response(`${message}\n`, { status });
}
