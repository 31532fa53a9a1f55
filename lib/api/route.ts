/**
 * The routes of the API: what each takes and answers, for checking requests and for
 * `/openapi.json`, and what it does.
 *
 * @module
 */
import type * as z from "zod";
import type { ApiContext } from "./context.ts";
import type { ApiRequest } from "./request.ts";

/** A body, by its media type: its schema, or `bytes` for any. */
export type BodyForms = Readonly<Record<string, z.ZodType | "bytes">>;

/** What is answered with a status. */
export interface Answer {
  /** When. */
  readonly description: string;
  /** The body. @default none */
  readonly body?: BodyForms;
}

/** A route. */
export interface Route<Query extends z.ZodObject = z.ZodObject> {
  /** The method. */
  readonly method: "get" | "put" | "post" | "delete";
  /** The path, with parameters in braces. */
  readonly path: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** More about it. */
  readonly description?: string;
  /** The query. @default none */
  readonly query?: Query;
  /** Request headers that matter, by name, with what they mean. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Forms of the request body. @default none */
  readonly body?: BodyForms;
  /** What is answered when all goes well, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** The errors that are to be expected, by status, besides 400, 401 and 403. */
  readonly errors?: Readonly<Record<number, string>>;
  /** Whether it needs no token: what it tells is no secret. @default false */
  readonly isOpen?: boolean;
  /** Answers a request. */
  handle(
    request: ApiRequest<z.output<Query>>,
    context: ApiContext,
  ): Response | Promise<Response>;
}

/** Defines a route; infers the type of its query. */
export function route<Query extends z.ZodObject = z.ZodObject<Record<never, never>>>(
  definition: Route<Query>,
): Route {
  return definition as unknown as Route;
}
