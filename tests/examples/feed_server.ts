/**
 * Feeds to be fetched, well-behaved ones and others, and who has requested them when. By hand:
 *
 * ```sh
 * deno run -A tests/examples/feed_server.ts --feeds 50 --every 15s --list feeds.opml
 * ```
 *
 * writes the list, prints a line per request, and a summary on SIGINT. Feeds are at addresses of
 * this machine, 127.0.0.1 and up, since each registrable domain or address is one publisher.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { parseDuration } from "../../lib/base/duration.ts";
import { type Answer, ANSWERS, contentOf, type FeedKind } from "./feed_answers.ts";

/** A feed of the server. */
export interface ServedFeed {
  readonly kind: FeedKind;
  readonly url: string;
}

/** A request that a feed had. */
export interface SeenRequest {
  readonly feed: ServedFeed;
  /** When it came: milliseconds since 1970. */
  readonly time: number;
  /** Who sent it: what its User-Agent ends with, `web-1` in `reader/1.0 (+contact; web-1)`. */
  readonly client: string;
  readonly userAgent: string;
  readonly isConditional: boolean;
  /** Whether the answer, or that of the target of a redirect, had validators. */
  readonly hasValidators: boolean;
  /** Status of the answer; 0 when the connection was closed instead. */
  readonly status: number;
  /** When the answer allows the next request, by Retry-After. */
  readonly retryAt: number;
}

/** How to start a server. */
export interface FeedServerOptions {
  /** What the feeds are like. */
  readonly kinds: readonly FeedKind[];
  /** Number of addresses that they are spread over. @default one for each */
  readonly hosts?: number;
  /** @default a free one */
  readonly port?: number;
  /** Number of the content that a feed has now. @default as {@linkcode FeedServer.change} says */
  readonly version?: (index: number) => number;
  readonly onRequest?: (request: SeenRequest) => void;
}

/** Linux takes all of 127.0.0.0/8 for this machine. */
const MAX_HOSTS = 250;

/** Serves feeds over HTTP. */
export class FeedServer implements AsyncDisposable {
  readonly feeds: readonly ServedFeed[];
  readonly requests: SeenRequest[] = [];
  readonly #servers: readonly Server[];
  readonly #options: FeedServerOptions;
  readonly #waiting = new Set<() => void>();
  #version = 1;

  private constructor(servers: readonly Server[], options: FeedServerOptions) {
    this.#servers = servers;
    this.#options = options;
    const { port } = servers[0].address() as AddressInfo;
    this.feeds = options.kinds.map((kind, index) => {
      const host = `127.0.0.${1 + index % servers.length}`;
      return { kind, url: `http://${host}:${port}/${index}/${kind}.xml` };
    });
    for (const server of servers) {
      server.on("request", (request, response) => this.#answer(request, response));
    }
  }

  static async start(options: FeedServerOptions): Promise<FeedServer> {
    const servers: Server[] = [];
    const count = Math.min(options.hosts ?? options.kinds.length, MAX_HOSTS);
    let port = options.port ?? 0;
    for (let host = 1; host <= count; host++) {
      const server = createServer().listen(port, `127.0.0.${host}`);
      await once(server, "listening");
      ({ port } = server.address() as AddressInfo);
      servers.push(server);
    }
    return new FeedServer(servers, options);
  }

  /** All feeds have new content from the time that this returns. */
  change(): number {
    this.#version++;
    return Date.now();
  }

  /** The content number `version` of a feed; by default, what it has now. */
  contentOf(feed: ServedFeed, version = this.#versionOf(this.feeds.indexOf(feed))): Uint8Array {
    return contentOf(feed, version);
  }

  /** The feeds as a subscription list. */
  opml(): string {
    const outlines = this.feeds.map(({ kind, url }) =>
      `    <outline type="rss" text="${kind}" xmlUrl="${url}"/>`
    );
    return `<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n  <head/>\n  <body>\n${
      outlines.join("\n")
    }\n  </body>\n</opml>\n`;
  }

  /** Requests of a feed, since `time`. */
  of(feed: ServedFeed, time = 0): SeenRequest[] {
    return this.requests.filter((request) => request.feed === feed && request.time >= time);
  }

  /** Resolves as soon as `condition` holds after a request. */
  async until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(resolve);
      await promise.finally(() => signal.removeEventListener("abort", onAbort));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map(async (server) => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    }));
  }

  #versionOf(index: number): number {
    return this.#options.version?.(index) ?? this.#version;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const time = Date.now(), path = request.url ?? "/", { headers } = request;
    const index = Number(/^\/(\d+)\//.exec(path)?.[1]), feed = this.feeds[index];
    if (feed === undefined) return void response.writeHead(404).end();
    const version = this.#versionOf(index), content = contentOf(feed, version);
    const before = this.of(feed).length;
    const answer: Answer = ANSWERS[feed.kind]({ path, headers, version, content, before });
    send(response, answer);
    if (feed.kind === "temporary" && !path.endsWith("?target")) return; // The target counts.
    const [status, sent] = typeof answer === "string" ? [0] : [answer.status, answer.headers];
    const userAgent = headers["user-agent"] ?? "";
    this.#note({
      ...{ feed, time, status, userAgent, client: /([^\s;]+?)\)?$/.exec(userAgent)?.[1] ?? "-" },
      isConditional: "if-none-match" in headers || "if-modified-since" in headers,
      hasValidators: sent !== undefined && ("etag" in sent || "last-modified" in sent),
      retryAt: retryAt(answer, time),
    });
  }

  #note(request: SeenRequest): void {
    this.requests.push(request);
    this.#options.onRequest?.(request);
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** When the next request may come: seconds and dates are the two forms of Retry-After. */
function retryAt(answer: Answer, now: number): number {
  const text = typeof answer === "string" ? undefined : answer.headers?.["retry-after"];
  if (text === undefined) return 0;
  return /^\d+$/.test(text) ? now + Number(text) * 1_000 : Date.parse(text);
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer === "closed") response.socket?.destroy();
  if (typeof answer === "string") return;
  const { status, headers, body, isCutOff = false } = answer;
  if (!isCutOff) return void response.writeHead(status, headers).end(body);
  response.writeHead(status, { ...headers, "content-length": String(2 * body!.length) });
  response.write(body, () => response.socket?.destroy());
}

/** Serves feeds until SIGINT, and prints the requests that they have had. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      feeds: { type: "string", default: "50" },
      hosts: { type: "string" },
      kinds: { type: "string", default: "etag,modified,gzip,etag,modified,temporary" },
      port: { type: "string", default: "8700" },
      every: { type: "string", default: "15m" },
      change: { type: "string", default: "1h" },
      list: { type: "string" },
    },
  });
  const kinds = values.kinds === "all" ? Object.keys(ANSWERS) : values.kinds.split(",");
  const changeMs = parseDuration(values.change), count = Number(values.feeds);
  await using server = await FeedServer.start({
    kinds: Array.from({ length: count }, (_, index) => kinds[index % kinds.length] as FeedKind),
    hosts: values.hosts === undefined ? undefined : Number(values.hosts),
    port: Number(values.port),
    // Not all at once.
    version: (index) => 1 + Math.floor(Date.now() / changeMs + index / count),
    onRequest: (request) => console.log(lineOf(request)),
  });
  const list = server.opml();
  if (values.list === undefined) console.log(list);
  else await Deno.writeTextFile(values.list, list);
  const { promise: interrupted, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  await interrupted;
  for (const line of summaryOf(server, parseDuration(values.every))) console.log(line);
}

function lineOf({ feed, time, client, isConditional, status }: SeenRequest): string {
  const at = new Date(time).toISOString().slice(11, -1);
  const condition = isConditional ? "conditional" : "unconditional";
  return [at, client.padEnd(12), status || "---", condition.padEnd(13), feed.url].join("  ");
}

/** Per feed, how many requests each interval had. */
function summaryOf(server: FeedServer, everyMs: number): string[] {
  let intervals = 0, early = 0, unconditional = 0;
  const lines = server.feeds.map((feed) => {
    const requests = server.of(feed), counts: number[] = [];
    for (const [index, { time, isConditional }] of requests.entries()) {
      const gapMs = index > 0 ? time - requests[index - 1].time : everyMs;
      const passed = Math.round(gapMs / everyMs);
      if (passed === 0) counts[counts.length - 1]++;
      else counts.push(...new Array<number>(passed - 1).fill(0), 1);
      if (gapMs < 0.9 * everyMs) early++;
      if (index > 0 && !isConditional) unconditional++;
    }
    intervals += counts.length;
    const clients = Map.groupBy(requests, ({ client }) => client);
    const by = [...clients].map(([client, { length }]) => `${client} x${length}`).join(", ");
    return `${feed.url}  ${counts.join(" ")}  ${by}`;
  });
  const { length } = server.requests, each = (length / intervals).toFixed(3);
  return [
    ...lines,
    `${length} requests, ${each} for each feed and interval; ${early} early, ` +
    `${unconditional} unconditional after the first of their feed`,
  ];
}

if (import.meta.main) await main();
