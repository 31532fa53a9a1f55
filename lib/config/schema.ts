/**
 * The rules of all sections together: for checking, for environment variables, and for editors.
 *
 * `deno task schema` writes the schema for editors to config.schema.json.
 *
 * @module
 */
import * as z from "zod/mini";
import { apiRule } from "./api.ts";
import type { Config } from "./config.ts";
import { coreRules } from "./core.ts";
import { encryptionRule } from "./encryption.ts";
import { filesRule } from "./files.ts";
import { key } from "./rules.ts";
import { s3Rule } from "./s3.ts";
import { turnsRule } from "./turns.ts";
import { wakeRule } from "./wake.ts";

const rules = z.strictObject({
  ...coreRules,
  s3: key(
    s3Rule,
    "How to reach an S3-compatible store; the AWS SDK looks up missing values",
  ),
  wake: key(wakeRule, "Sources that announce updates before the next poll"),
  encryption: key(encryptionRule, "Encryption of the bucket and of messages to peers"),
  files: key(filesRule, "Publish the .feed files of a directory"),
  api: key(apiRule, "The local HTTP API, for programs on this machine"),
  turns: key(turnsRule, "How this server takes turns with others at fetching feeds"),
});

/** Accepts what {@linkcode Config} describes, and nothing else. */
export const configSchema: z.ZodMiniType<Config> = rules;

/** A key whose value is not an object or array. */
export interface ScalarKey {
  /** Path of the key, such as `["s3", "endpoint"]`. */
  readonly path: readonly string[];
  /** Schema of its value. */
  readonly schema: z.ZodMiniType;
}

/** All scalar keys. */
export const SCALAR_KEYS: readonly ScalarKey[] = [...keysOf(rules)]
  .filter(({ schema }) => !(schema instanceof z.ZodMiniArray));

/** The paths of the keys whose values are lists. */
export const LIST_KEYS: readonly (readonly string[])[] = [...keysOf(rules)]
  .filter(({ schema }) => schema instanceof z.ZodMiniArray).map(({ path }) => path);

/** The keys that the object at `path` may have, the configuration itself being at `[]`. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  let schema: z.ZodMiniType = rules;
  for (const name of path) {
    if (schema instanceof z.ZodMiniObject) schema = unwrapped(schema.shape[String(name)]);
    else if (schema instanceof z.ZodMiniArray) schema = schema.def.element as z.ZodMiniType;
  }
  const names = schema instanceof z.ZodMiniObject ? Object.keys(schema.shape) : [];
  return names.filter((name) => name !== "$schema");
}

/** JSON Schema of the configuration file, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(rules, { io: "input", target: "draft-7" }), title: "feedsync" };
}

function* keysOf(object: z.ZodMiniObject, path: readonly string[] = []): Iterable<ScalarKey> {
  for (const [name, optional] of Object.entries(object.shape)) {
    if (name === "$schema") continue;
    const schema = unwrapped(optional);
    if (schema instanceof z.ZodMiniObject) yield* keysOf(schema, [...path, name]);
    else yield { path: [...path, name], schema };
  }
}

function unwrapped(schema: z.core.$ZodType): z.ZodMiniType {
  return (schema instanceof z.ZodMiniOptional ? schema.def.innerType : schema) as z.ZodMiniType;
}

if (import.meta.main) {
  await Deno.writeTextFile(
    "config.schema.json",
    JSON.stringify(configJsonSchema(), null, 2) + "\n",
  );
}
