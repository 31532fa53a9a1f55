/**
 * The API of a server on a real port, with a store in memory.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { z } from "zod";
import type { ApiConfig } from "../../lib/config/api.ts";
import { type Clock, systemEnvironment } from "../../lib/base/environment.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { Connection } from "../../lib/connection.ts";
import { type ApiServer, serveApi } from "../../lib/api/serve_api.ts";
import { errorSchema } from "../../lib/api/schemas.ts";
import { NDJSON } from "../../lib/api/media_types.ts";
import type { Route } from "../../lib/api/route.ts";
import { ROUTES } from "../../lib/api/routes.ts";
import type { Config } from "../../lib/config/config.ts";
import type { Watcher } from "../../lib/reading/watcher.ts";
import { watch } from "../../lib/watch.ts";
import { MemoryStore } from "../memory_store.ts";

export const TOKEN = "a-token-of-the-tests";

/** What was answered. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  // deno-lint-ignore no-explicit-any
  readonly json: any;
  /** The lines of the body as JSON. */
  // deno-lint-ignore no-explicit-any
  readonly lines: any[];
}

/** Options of {@linkcode ApiUnderTest.start}. */
export interface TestOptions extends Omit<Config, "api"> {
  readonly api?: ApiConfig;
  readonly store?: never;
  readonly memory?: MemoryStore;
  readonly clock?: Clock;
  /** Watches the bucket, with the plugins of the configuration. @default false */
  readonly watching?: boolean;
}

/** Lets anybody in; without a token of its own, it has that of the tests. */
const API: ApiConfig = { listen: "127.0.0.1:0", token: TOKEN };

/** A server with its API. */
export class ApiUnderTest implements AsyncDisposable {
  readonly connection: Connection;
  readonly api: ApiServer;
  readonly watcher: Watcher | undefined;
  readonly store: MemoryStore;

  private constructor(
    parts: Pick<ApiUnderTest, "connection" | "api" | "watcher" | "store">,
  ) {
    this.connection = parts.connection;
    this.api = parts.api;
    this.watcher = parts.watcher;
    this.store = parts.store;
  }

  static async start(
    { memory, clock = systemEnvironment.clock, api, watching, ...config }: TestOptions = {},
  ): Promise<ApiUnderTest> {
    const store = memory ?? new MemoryStore(systemEnvironment.clock);
    const given = {
      server: "web-1",
      stopTimeout: 100,
      plugins: [],
      ...config,
      api: { ...API, ...api },
    };
    const environment = { ...systemEnvironment, clock };
    const connection = new Connection(resolveConfig(given), store, { environment });
    const watcher = watching ? watch(connection, undefined, { manual: true }) : undefined;
    const server = await serveApi(connection);
    return new ApiUnderTest({ connection, api: server, watcher, store });
  }

  get origin(): string {
    return `http://${this.api.address}`;
  }

  get port(): number {
    return Number(this.api.address.split(":").at(-1));
  }

  /** Sends a request with the token, and checks that the answer is as described. */
  async request(
    method: string,
    path: string,
    { headers, ...init }: Omit<RequestInit, "method" | "headers"> & {
      headers?: Record<string, string>;
    } = {},
  ): Promise<Answered> {
    const authorization = `Bearer ${API.token}`;
    const response = await fetch(this.origin + path, {
      ...init,
      method,
      headers: { authorization, ...headers },
    });
    const answered = await read(response);
    checkAnswer(method, path, answered);
    return answered;
  }

  get(path: string, headers?: Record<string, string>): Promise<Answered> {
    return this.request("GET", path, { headers });
  }

  /** Sends JSON. */
  send(
    method: "POST" | "PUT",
    path: string,
    value: unknown,
    headers?: Record<string, string>,
  ): Promise<Answered> {
    const body = JSON.stringify(value);
    return this.request(method, path, {
      body,
      headers: { "content-type": "application/json", ...headers },
    });
  }

  post(path: string, value: unknown, headers?: Record<string, string>): Promise<Answered> {
    return this.send("POST", path, value, headers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.close();
    await this.watcher?.close();
    await this.connection.close().catch(() => {});
  }
}

/** Reads a response to its end. */
export async function read(response: Response): Promise<Answered> {
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    get json() {
      return JSON.parse(text);
    },
    get lines() {
      return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    },
  };
}

/** Every answer is one that the description of the API announces. */
function checkAnswer(method: string, path: string, answered: Answered): void {
  const { status, headers } = answered;
  assert.match(headers.get("feedsync-version") ?? "", /^\d/);
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  if (status >= 400) return checkError(answered);
  const route = routeOf(method, path);
  const answer = route.answers[status];
  assert.ok(answer, `${method} ${route.path} announces no ${status}`);
  const type = (headers.get("content-type") ?? "").split(";")[0];
  const form = answer.body?.[type];
  if (!form || form === "bytes") return;
  if (type !== NDJSON) return check(form, answered.json);
  for (const line of answered.lines) {
    check(typeof line.error === "object" ? errorSchema : form, line);
  }
}

function checkError({ status, headers, json }: Answered): void {
  check(errorSchema, json);
  if (status === 503) assert.match(headers.get("retry-after") ?? "", /^\d+$/);
}

function check(schema: z.ZodType, value: unknown): void {
  const { error } = schema.safeParse(value);
  assert.equal(error, undefined, `${JSON.stringify(value)}: ${error?.message}`);
}

function routeOf(method: string, path: string): Route {
  const [pathname] = path.split("?");
  const route = ROUTES.find((route) =>
    route.method === method.toLowerCase() &&
    new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(pathname)
  );
  assert.ok(route, `${method} ${path}`);
  return route;
}
