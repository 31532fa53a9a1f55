/**
 * The API as a function from requests to answers: who may ask, what they ask for, and what is
 * counted.
 *
 * @module
 */
import { Hono } from "hono";
import * as z from "zod";
import type { Bodies } from "./bodies.ts";
import type { ApiContext } from "./context.ts";
import { ApiError, errorResponse, invalidRequest, notFound, tooBusy } from "./errors.ts";
import { guard, type GuardOptions } from "./guard.ts";
import { ApiRequest, queryOf } from "./request.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import type { TokenCheck } from "./token.ts";

/** What the app is made of. */
export interface AppOptions extends GuardOptions {
  /** What the handlers work with. */
  readonly context: ApiContext;
  /** Reads bodies. */
  readonly bodies: Bodies;
  /** Checks the token of requests. */
  readonly token: TokenCheck;
}

/** Headers of every answer, unless it has its own. */
const HEADERS = { "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" } as const;

const NO_QUERY = z.strictObject({});

/** Answers requests. */
export class ApiApp {
  readonly #hono = new Hono();
  readonly #options: AppOptions;

  /** The routes in {@linkcode ROUTES}. */
  constructor(options: AppOptions) {
    this.#options = options;
    for (const route of ROUTES) {
      const path = honoPath(route);
      this.#hono.on(
        route.method.toUpperCase(),
        path,
        (context) => this.#counted(route, context.req.raw, context.req.param()),
      );
    }
    for (const [path, allowed] of Map.groupBy(ROUTES, honoPath)) {
      this.#hono.all(path, ({ req }) => this.#refused(req.raw, methodNotAllowed(allowed)));
    }
    this.#hono.notFound(({ req }) =>
      this.#refused(req.raw, notFound("There is nothing at this path: see /openapi.json"))
    );
  }

  /** Answers a request; never rejects. */
  async answer(request: Request): Promise<Response> {
    const response = await this.#admitted(request);
    const { headers } = response;
    headers.set("Feedsync-Version", this.#options.context.version);
    for (const [name, value] of Object.entries(HEADERS)) {
      if (!headers.has(name)) headers.set(name, value);
    }
    return response;
  }

  async #admitted(request: Request): Promise<Response> {
    try {
      guard(request, this.#options);
      if (!URL.canParse(request.url)) throw invalidRequest("The URL of the request is malformed");
      return await this.#hono.fetch(request);
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Even that there is no such path is told only to those who may ask. */
  #refused(request: Request, error: ApiError): Response {
    try {
      this.#options.token.check(request.headers);
      throw error;
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** The answer where there is no route. */
  #failed(error: unknown): Response {
    const response = errorResponse(error), { status } = response;
    this.#options.context.metrics.answered({ route: "none", method: "none", status, seconds: 0 });
    return response;
  }

  async #counted(
    route: Route,
    request: Request,
    params: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const { clock, metrics } = this.#options.context, start = clock.elapsed();
    const response = await this.#handled(route, request, params).catch(errorResponse);
    const seconds = (clock.elapsed() - start) / 1000;
    const { path, method } = route, { status } = response;
    metrics.answered({ route: path, method: method.toUpperCase(), status, seconds });
    return response;
  }

  async #handled(
    route: Route,
    raw: Request,
    params: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const { context, bodies, token } = this.#options;
    if (!route.isOpen) {
      token.check(raw.headers);
      if (context.closing.aborted) throw tooBusy("The server is stopping");
    }
    using _slot = route.isOpen ? undefined : context.slots.take();
    const query = queryOf(route.query ?? NO_QUERY, new URL(raw.url).searchParams);
    using body = bodies.of(raw);
    return await route.handle(new ApiRequest({ raw, query, params, body }), context);
  }
}

function honoPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function methodNotAllowed(routes: readonly Route[]): ApiError {
  const allowed = routes.map(({ method }) => method.toUpperCase()).join(", ");
  return new ApiError(405, {
    name: "MethodNotAllowedError",
    message: `Only ${allowed} is allowed here`,
    headers: { Allow: allowed },
  });
}
