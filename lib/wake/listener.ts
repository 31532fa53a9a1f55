/**
 * The listener: hears from peers which commits are new, with what is in them, and from the service that
 * has the bucket which objects were written.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import { decodeObject, MAX_UPDATE_BYTES } from "../codec.ts";
import type { Envelope } from "../encryption/envelope.ts";
import type { Clock } from "../environment.ts";
import { ConfigError, CorruptObjectError, messageOf, MissingKeyError } from "../errors.ts";
import type { ObjectName } from "../keys.ts";
import type { DeliveredCommit } from "../reading/delivered_commits.ts";
import { Deadline } from "../stores/deadline.ts";
import { objectOfMessage } from "./message_id.ts";
import { readBody } from "./read_body.ts";
import { commitsIn } from "./s3_events.ts";
import { Signer, TOLERANCE } from "./signature.ts";

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
  /** What commits are stored in. */
  readonly envelope: Envelope;
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

/** What is taken at a path. */
interface Route {
  /** Refuses what the head of a message shows to be a stranger's, before its body is read. */
  admit(request: Request, url: URL): Response | undefined;
  /** Takes the message. */
  take(request: Request, body: Uint8Array): Response | Promise<Response>;
}

class Listener {
  readonly #options: ListenerOptions;
  readonly #routes = new Map<string, Route>();
  /** When each message came, oldest first: none is taken twice. */
  readonly #ids = new Map<string, number>();
  #reading = 0;
  #bytes = 0;
  #nextComplaint = -Infinity;

  constructor(options: ListenerOptions) {
    const { secret, wakeToken } = this.#options = options;
    if (secret) this.#routes.set("/commits", this.#commits(new Signer(secret)));
    if (wakeToken) this.#routes.set("/wake", this.#events(wakeToken));
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
    const now = this.#options.clock.now();
    if (now < this.#nextComplaint) return;
    this.#nextComplaint = now + COMPLAINT_INTERVAL;
    logger.warn("A message from {hostname} was refused: {reason}", {
      hostname,
      reason: reason.trim(),
    });
  }

  /** Commits of peers. */
  #commits(signer: Signer): Route {
    const { store, envelope, now, onCommit } = this.#options;
    return {
      admit({ headers }) {
        const id = signer.idOf(headers, now());
        if (id === undefined) return refuse(401, "It is not signed, or clocks differ");
        const isCommit = objectOfMessage(id, store)?.kind === "tail";
        return isCommit ? undefined : refuse(409, "It is no commit, or of another store");
      },
      take: async ({ headers }, body) => {
        const id = signer.verify(headers, body, now());
        if (id === undefined) return refuse(401, "It is not signed with the secret of this server");
        if (!this.#isNew(id)) return refuse(409, "It came before");
        const name = objectOfMessage(id, store)!;
        try {
          const object = decodeObject(name, await envelope.open(name, body));
          onCommit(name, { ...object, name });
        } catch (error) {
          if (error instanceof CorruptObjectError) return refuse(400, error.message);
          if (!(error instanceof MissingKeyError)) throw error;
          onCommit(name); // Reading it from the bucket tells of the key.
        }
        return done();
      },
    };
  }

  /** Events of the bucket. */
  #events(token: string): Route {
    const { store, onCommit } = this.#options;
    return {
      admit({ headers }, { searchParams }) {
        const given = searchParams.get("token") ??
          headers.get("authorization")?.replace(/^Bearer /, "");
        if (isSame(given ?? "", token)) return undefined;
        return refuse(401, "It does not bear the token of this server");
      },
      take(_, body) {
        const commits = commitsIn(new TextDecoder().decode(body), store);
        if (!commits) return refuse(400, "It is no event of a bucket");
        for (const name of commits) onCommit(name);
        return done();
      },
    };
  }

  /** The body, of the length that was told; undefined when it does not come in time. */
  async #read(request: Request, size: number): Promise<Uint8Array | undefined> {
    using deadline = new Deadline(this.#options.clock, undefined);
    deadline.allow(BODY_TIMEOUT);
    return await readBody(request, size, deadline.signal);
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

function refuse(status: number, message: string, headers?: Record<string, string>): Response {
  return new Response(`${message}\n`, { status, headers });
}
