/**
 * The description of the API in OpenAPI 3.1, made of its routes.
 *
 * @module
 */
import * as z from "zod";
import type { JsonObject } from "../update.ts";
import type { Answer, BodyForms, Route } from "./route.ts";
import { errorSchema, SCHEMAS } from "./schemas.ts";

const REFERENCE = "#/components/schemas/";

/** Describes the API of this version. */
export function openApi(routes: readonly Route[], version: string): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "feedsync",
      version,
      description: "The local API of feedsync: publish and receive updates of feeds.",
    },
    security: [{ bearer: [] }, { basic: [] }],
    paths,
    components: {
      schemas: components(),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        basic: { type: "http", scheme: "basic", description: "The token is the password" },
      },
    },
  };
}

function operationOf(route: Route): JsonObject {
  const { method, path, summary, description, body, isOpen } = route;
  return {
    operationId: `${method}${
      path.replace(/[^a-zA-Z0-9]+(\w?)/g, (_, first) => first.toUpperCase())
    }`,
    summary,
    ...description !== undefined && { description },
    ...isOpen && { security: [] },
    parameters: parametersOf(route),
    ...body && { requestBody: { required: true, content: contentOf(body) } },
    responses: responsesOf(route),
  };
}

function parametersOf({ path, query, headers = {} }: Route): JsonObject[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]): JsonObject => ({
    ...{ name, in: "path", required: true, schema: { type: "string" } },
  }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]): JsonObject => {
    const { description, ...described } = jsonSchema(schema as z.ZodType);
    const required = !(schema instanceof z.ZodOptional);
    return {
      name,
      in: "query",
      required,
      schema: described,
      ...description !== undefined && { description },
    };
  });
  const inHeaders = Object.entries(headers).map(([name, description]): JsonObject => ({
    ...{ name, in: "header", required: false, description, schema: { type: "string" } },
  }));
  return [...inPath, ...inQuery, ...inHeaders];
}

function responsesOf({ answers, errors = {} }: Route): JsonObject {
  const responses: JsonObject = {};
  for (const [status, { description, body }] of Object.entries<Answer>(answers)) {
    responses[status] = { description, ...body && { content: contentOf(body) } };
  }
  const error = { "application/json": { schema: jsonSchema(errorSchema) } };
  for (const [status, description] of Object.entries(errors)) {
    responses[status] = { description, content: error };
  }
  return { ...responses, default: { description: "What went wrong", content: error } };
}

function contentOf(forms: BodyForms): JsonObject {
  return Object.fromEntries(
    Object.entries(forms).map(([type, form]) => [
      type,
      { schema: form === "bytes" ? bytesOf(type) : jsonSchema(form) },
    ]),
  );
}

function bytesOf(type: string): JsonObject {
  if (type === "application/json") return { type: "object" };
  return type.startsWith("text/") ? { type: "string" } : { type: "string", format: "binary" };
}

/** The schema; one with a name is referred to. */
function jsonSchema(schema: z.ZodType): JsonObject {
  const name = SCHEMAS.get(schema)?.id;
  if (name !== undefined) return { $ref: REFERENCE + name };
  if (schema instanceof z.ZodUnion) {
    return { anyOf: schema.options.map((option) => jsonSchema(option as z.ZodType)) };
  }
  if (schema instanceof z.ZodArray) {
    return { type: "array", items: jsonSchema(schema.element as z.ZodType) };
  }
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: "input" });
  return described as JsonObject;
}

function components(): JsonObject {
  const { schemas } = z.toJSONSchema(SCHEMAS, { io: "input", uri: (id) => REFERENCE + id });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  ) as JsonObject;
}
