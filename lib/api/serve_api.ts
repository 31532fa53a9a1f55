/**
 * The local HTTP API, by which programs in any language take part.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { withDeadline } from "../base/deadline.ts";
import { sleep, systemEnvironment } from "../base/environment.ts";
import { readVersion } from "../base/version.ts";
import { type ResolvedApi, socketPath } from "../config/api.ts";
import { missing } from "../config/rules.ts";
import { type Connection, connectionOf, type FeedSync } from "../connection.ts";
import { Consumers } from "../consumers/consumers.ts";
import { messageOf } from "../errors.ts";
import { status } from "../status.ts";
import { ApiApp } from "./app.ts";
import { Bodies } from "./bodies.ts";
import type { ApiContext } from "./context.ts";
import { EventHub } from "./events/hub.ts";
import { groupId } from "./group.ts";
import { listenAt, type Listening } from "./listen.ts";
import { ApiMetrics } from "./metrics.ts";
import { openApi } from "./openapi.ts";
import { remembered } from "./remembered.ts";
import { ROUTES } from "./routes.ts";
import { Slots } from "./slots.ts";
import { openToken, TokenCheck } from "./token.ts";

const logger = getLogger(["feedsync", "api"]);

/** Maximum number of requests under way, those that wait included. */
const MAX_REQUESTS = 512;

/** Maximum number of lists that are read at once: each takes some megabytes. */
const MAX_STREAMS = 8;

/** Maximum number of clients that read events at once: each page that is looked at is one. */
const MAX_EVENT_STREAMS = 100;

/** How long what is answered at the stop may take to arrive. */
const STOP_MS = 1000;

/** Deno says that an answer was delivered a moment before it is sent. */
const FLUSH_MS = 50;

/** The status of the fleet is asked for no more often. */
const STATUS_MS = 2000;

/** A running API. Close it, or bind it with `await using`; it is also closed with its connection. */
export interface ApiServer extends AsyncDisposable {
  /** Where it listens, as in the configuration: `127.0.0.1:7071`, or `unix:` and a path. */
  readonly address: string;
  /** Answers what waits, ends streams, and stops to listen. */
  close(): Promise<void>;
}

/**
 * Serves the local HTTP API, as the section `api` of the configuration says. Consumers receive
 * updates while a watcher of the same connection runs.
 *
 * @example
 * ```ts
 * import { connect, watch } from "@feedsync/feedsync";
 * import { serveApi } from "@feedsync/feedsync/api";
 *
 * const directory = await Deno.makeTempDir();
 * await using sync = await connect({
 *   store: `file:${directory}/store`,
 *   server: "web-1",
 *   state: `${directory}/web-1.db`,
 *   api: { listen: "127.0.0.1:0" },
 * });
 * await using watcher = watch(sync, []);
 * await using api = await serveApi(sync);
 * const response = await fetch(`http://${api.address}/readyz`);
 * console.log(await response.json()); // { status: "ok" }
 * ```
 *
 * @throws {ConfigError} when the API is not configured, or cannot listen.
 * @throws {ClosedError} when the connection is closed.
 */
export async function serveApi(sync: FeedSync): Promise<ApiServer> {
  const connection = connectionOf(sync), { config } = connection, { api } = config;
  if (!api) throw missing("api.listen", "the API listens there");
  const gid = api.group === undefined ? undefined : await groupId(api.group);
  const token = api.token ?? await openToken({ state: config.state, gid });
  const server = new Server(connection, { api, token, version: await readVersion() });
  await server.start(gid);
  return server;
}

interface ServerOptions {
  readonly api: ResolvedApi;
  readonly token: string | false;
  readonly version: string;
}

class Server implements ApiServer {
  readonly #connection: Connection;
  readonly #options: ServerOptions;
  /** Aborted first: answers what waits. */
  readonly #closing = new AbortController();
  /** Aborted last: ends connections. */
  readonly #ended = new AbortController();
  readonly #context: ApiContext;
  #listening: Listening | undefined;
  #forget = () => {};
  #closed: Promise<void> | undefined;

  constructor(connection: Connection, options: ServerOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#context = contextOf(connection, options, this.#closing.signal);
  }

  get address(): string {
    return this.#listening!.address;
  }

  /** Starts to listen. */
  async start(gid: number | undefined): Promise<void> {
    const { api, token } = this.#options, context = this.#context;
    const app = new ApiApp({
      context,
      hosts: socketPath(api.listen) === undefined ? api.hosts : "any",
      bodies: new Bodies(context),
      token: new TokenCheck(token),
    });
    this.#forget = this.#connection.closeWithMe(this);
    try {
      const answer = (request: Request) => app.answer(request);
      this.#listening = await listenAt(api.listen, { gid, signal: this.#ended.signal, answer });
    } catch (error) {
      await this.close();
      throw error;
    }
    logger.info("Serving the API at {address}", { address: this.address });
  }

  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.#stopListening().catch((error) =>
      logger.warn("Cannot stop the API: {message}", { message: messageOf(error) })
    );
    await this.#context.consumers?.close();
    this.#context.events.close();
    this.#forget();
  }

  /** A graceful shutdown would wait for bodies that never arrive, and for who never reads. */
  async #stopListening(): Promise<void> {
    if (!this.#listening) return;
    const { delivered, finished } = this.#listening, { clock } = systemEnvironment;
    await withDeadline(delivered, { clock, timeoutMs: STOP_MS }).catch(() => {});
    await sleep(clock, FLUSH_MS);
    this.#ended.abort();
    await finished;
  }
}

function contextOf(
  connection: Connection,
  { api, version }: ServerOptions,
  closing: AbortSignal,
): ApiContext {
  const { parts } = connection, { clock } = parts?.environment ?? systemEnvironment;
  const consumers = parts && new Consumers(connection, api.inbox);
  const askStatus = remembered(() => status(connection, { signal: closing }), {
    clock,
    ms: STATUS_MS,
  });
  return {
    ...{ sync: connection, connection, consumers, version, clock, closing },
    describe: () => openApi(ROUTES, version),
    slots: new Slots(MAX_REQUESTS),
    streams: new Slots(MAX_STREAMS),
    retries: new Slots(1),
    metrics: new ApiMetrics({ connection, consumers, version }),
    status: askStatus,
    events: new EventHub({ connection, status: askStatus, clock, version }),
    eventStreams: new Slots(MAX_EVENT_STREAMS),
  };
}
