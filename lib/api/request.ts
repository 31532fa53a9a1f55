/**
 * Requests as handlers see them: query and body are checked.
 *
 * @module
 */
import * as z from "zod";
import { ApiError, invalidRequest } from "./errors.ts";
import type { RequestBody } from "./bodies.ts";
import { JSON_TYPE } from "./media_types.ts";

/** Maximum size of bodies that are not updates. */
const MAX_JSON_BYTES = 8 * 1024 * 1024;

/** What a request is made of. */
export interface RequestParts<Query> {
  /** The request. */
  readonly raw: Request;
  /** The checked query. */
  readonly query: Query;
  /** Reads the body. */
  readonly body: RequestBody;
  /** The parameters of the path. */
  readonly params: Readonly<Record<string, string>>;
}

/** A request. */
export class ApiRequest<Query = unknown> {
  /** The checked query. */
  readonly query: Query;
  /** The parameters of the path. */
  readonly params: Readonly<Record<string, string>>;
  /** The headers. */
  readonly headers: Headers;
  readonly #body: RequestBody;

  /** Made by the app. */
  constructor(parts: RequestParts<Query>) {
    this.query = parts.query;
    this.params = parts.params;
    this.headers = parts.raw.headers;
    this.#body = parts.body;
  }

  /** The media type of the body, in lower case; empty when it is not told. */
  get mediaType(): string {
    return (this.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  }

  /** Reads the body as it is. */
  bytes(maxBytes: number): Promise<Uint8Array> {
    return this.#body.read(maxBytes);
  }

  /** Reads the body as text. */
  async text(maxBytes: number): Promise<string> {
    return decodedText(await this.bytes(maxBytes), "The request body");
  }

  /**
   * Reads the body as JSON, and checks it.
   *
   * @throws {ApiError} when it is something else.
   */
  async json<T>(schema: z.ZodType<T>): Promise<T> {
    this.expectType(JSON_TYPE);
    const value = parseJson(await this.text(MAX_JSON_BYTES), "The request body");
    return checked(schema, value, "the request body");
  }

  /**
   * Makes sure that the body has one of these types.
   *
   * @throws {ApiError} when it has not.
   */
  expectType(...types: readonly string[]): void {
    if (types.includes(this.mediaType)) return;
    const given = this.mediaType === "" ? "none is given" : `it is ${this.mediaType}`;
    throw unsupportedType(`The Content-Type must be ${types.join(" or ")}, ${given}`);
  }
}

/** The error for a body of another type. */
export function unsupportedType(message: string): ApiError {
  return new ApiError(415, { name: "UnsupportedMediaTypeError", message });
}

/**
 * Decodes UTF-8.
 *
 * @throws {ApiError} when it is something else.
 */
export function decodedText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalidRequest(`${what} is not UTF-8`);
  }
}

/**
 * Parses JSON.
 *
 * @throws {ApiError} when it is none.
 */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest(`${what} is not valid JSON`);
  }
}

/**
 * Checks a value.
 *
 * @throws {ApiError} that names what is wrong.
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  const place = path.length === 0 ? what : `'${path.join(".")}' in ${what}`;
  throw invalidRequest(`Cannot use ${place}: ${message}`);
}

/**
 * Reads a query: numbers, booleans and lists by what the schema says.
 *
 * @throws {ApiError} when a parameter is unknown or invalid.
 */
export function queryOf<Query extends z.ZodObject>(
  schema: Query,
  parameters: URLSearchParams,
): z.output<Query> {
  const values: Record<string, unknown> = {};
  for (const name of new Set(parameters.keys())) {
    const texts = parameters.getAll(name), kind = innermost(schema.shape[name]);
    if (kind instanceof z.ZodArray) {
      values[name] = texts.map((text) => fromText(text, kind.element as z.ZodType));
    } else if (texts.length > 1) {
      throw invalidRequest(`Cannot use the query: '${name}' is given ${texts.length} times`);
    } else values[name] = fromText(texts[0], kind);
  }
  return checked<z.output<Query>>(
    schema as unknown as z.ZodType<z.output<Query>>,
    values,
    "the query",
  );
}

function innermost(schema: z.ZodType | undefined): z.ZodType | undefined {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? innermost(schema.unwrap() as z.ZodType)
    : schema;
}

function fromText(text: string, schema: z.ZodType | undefined): unknown {
  if (schema instanceof z.ZodBoolean) {
    if (text === "true" || text === "") return true; // "?ifChanged" alone will do.
    return text === "false" ? false : text;
  }
  return schema instanceof z.ZodNumber && /^\d+$/.test(text) ? Number(text) : text;
}
