/**
 * The rules of the configuration, once: for checking it, for the environment and for editors.
 *
 * @module
 */
import { z } from "zod";
import { DURATION_RULE, parseDuration } from "../base/duration.ts";
import { SERVER_NAME } from "../log/names.ts";
import type { Config } from "./config.ts";
import { DEFAULTS, FILES_DEFAULTS } from "./defaults.ts";
import { ENCRYPTION_DEFAULTS } from "./encryption.ts";
import { duration, isEndpoint, key, text } from "./rules.ts";
import { assumeRole, s3 } from "./s3_schema.ts";
import { isSecret } from "../wake/signature.ts";

const A_HUNDRED_YEARS = "36500d";
/** Host names, IPv4 addresses, and IPv6 ones in brackets. */
const LISTEN = /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+):\d{1,5}$/;
// A file: URL names no host.
const STORE = /^(file:(?!\/\/[^/]).+|s3:\/\/[^/?#@:\s]+(\/[^?#]*)?)$/;

const files = z.strictObject({
  directory: key(text, "Directory whose .feed files are published when they change"),
  settle: key(duration(), "How long a file must be still", FILES_DEFAULTS.settle),
  rescan: key(
    duration({ min: "100ms" }),
    "How often to search for changes that went unnoticed",
    FILES_DEFAULTS.rescan,
  ),
  publishRemovals: key(
    z.boolean(),
    "Deleting a file publishes that the feed is gone; not when many are gone at once",
    FILES_DEFAULTS.publishRemovals,
  ),
});

const encryption = z.strictObject({
  keys: key(
    text.refine((path) => !path.includes("{"), {
      error: "must be the path of a file with keys, not what is in it",
    }),
    "Path of the file with the keys, made by feedsync keygen",
  ),
  allowPlaintext: key(
    z.boolean(),
    "Read objects that are not encrypted, too: while servers begin to encrypt",
    ENCRYPTION_DEFAULTS.allowPlaintext,
  ),
});

const pollRange = z.strictObject({ min: duration({ min: "100ms" }), max: duration() })
  .refine(({ min, max }) => parseDuration(min) <= parseDuration(max), {
    error: "must have a 'max' that is not less than 'min'",
  });

const plugin = z.union([
  text,
  z.tuple([text, z.record(z.string(), z.unknown()).optional()]),
], { error: "must be a plugin, or a pair of a plugin and an object with its options" });

const peer = text.refine((value) => isEndpoint(value) && !/[?#]/.test(value), {
  error: "must be an http:// or https:// URL without credentials, query and fragment",
});

const wakeUp = z.strictObject({
  sqs: text.refine(isEndpoint, { error: "must be the URL of a queue" }).meta({
    description: "URL of a queue of SQS",
  }),
});

/** Without those of a single letter, which are the drives of Windows. */
const urlScheme = z.string().regex(/^[a-z][a-z0-9+.-]+$/, {
  error: 'must be a scheme such as "gemini", in lower case and without colon',
});

const config = z.strictObject({
  $schema: key(z.string(), "Where editors find this schema"),
  enabled: key(z.boolean(), "false: publish and watch do nothing", DEFAULTS.enabled),
  server: key(
    z.string().regex(SERVER_NAME, {
      error: "must be 1 to 63 of a-z, 0-9, '.' and '-', the first a letter or digit",
    }),
    "Name of this server; its host name unless given",
  ),
  store: key(
    z.string().regex(STORE, { error: 'must look like "s3://bucket/prefix" or "file:path"' }),
    "s3://bucket/prefix or file:path",
    DEFAULTS.store,
  ),
  movedFrom: key(
    text,
    "The store's URL or endpoint before, when everything in it was moved to where it is now",
  ),
  s3: key(s3, "How to reach an S3-compatible store; what is absent is found as the AWS SDK does"),
  state: key(text, "Path of the state file; .feedsync/<server>.db unless given"),
  poll: key(
    z.union([duration({ min: "100ms" }), pollRange], {
      error: `${DURATION_RULE} from "100ms" on, or {"min", "max"}`,
    }),
    "How often the bucket is listed: always, or as quick as min and as slow as max",
    DEFAULTS.poll,
  ),
  from: key(z.enum(["earliest", "now"]), "Where a new state starts to read", DEFAULTS.from),
  retention: key(
    z.union([z.literal(false), duration({ min: "10m", max: A_HUNDRED_YEARS })], {
      error: `${DURATION_RULE}, or false`,
    }),
    "How long updates are kept in the bucket; false: for ever",
    DEFAULTS.retention,
  ),
  listen: key(
    z.string().regex(LISTEN, { error: 'must be an address and port such as "0.0.0.0:7070"' }),
    "Where peers send their commits to, and others events that wake up",
  ),
  peers: key(z.array(peer), "URLs of the servers that every commit is sent to", DEFAULTS.peers),
  secret: key(
    z.string().refine(isSecret, { error: 'must be "whsec_" and base64 of at least 24 bytes' }),
    "What peers sign with and are known by; better kept in the environment",
  ),
  wake: key(
    z.array(wakeUp),
    "Queues of this server's own that the events of the bucket go to",
    DEFAULTS.wake,
  ),
  wakeToken: key(
    z.string().min(16, { error: "must have at least 16 characters" }),
    "What events of the bucket must bear that are sent to /wake; better kept in the environment",
  ),
  marker: key(
    z.boolean(),
    "List only when a small object has changed that publishers overwrite; on all servers, or none",
    DEFAULTS.marker,
  ),
  encryption: key(encryption, "Encrypt what is kept in the bucket"),
  includeOwn: key(z.boolean(), "Apply what this server published, too", DEFAULTS.includeOwn),
  files: key(files, "Publish the .feed files of a directory"),
  urlSchemes: key(
    z.array(urlScheme).min(1, { error: "must name at least one scheme" }),
    "Schemes that URLs of feeds may have when they are published",
    DEFAULTS.urlSchemes,
  ),
  plugins: key(z.array(plugin), "What is done with updates", DEFAULTS.plugins),
  commitInterval: key(duration(), "Least time between two uploads", DEFAULTS.commitInterval),
  publishTimeout: key(
    duration({ min: "1ms" }),
    "How long publishing waits for the store",
    DEFAULTS.publishTimeout,
  ),
  callbackTimeout: key(
    duration({ min: "1ms" }),
    "How long a plugin may take for one update",
    DEFAULTS.callbackTimeout,
  ),
  stopTimeout: key(duration(), "How long stopping waits", DEFAULTS.stopTimeout),
  logLevel: key(
    z.enum(["debug", "info", "warn", "error"]),
    "How much the command line logs",
    DEFAULTS.logLevel,
  ),
});

/** Accepts what {@linkcode Config} describes, and nothing else. */
export const configSchema: z.ZodType<Config> = config;

/** A key whose value is not an object or array. */
export interface ScalarKey {
  /** Such as `["s3", "endpoint"]`. */
  readonly path: readonly string[];
  /** What its value must be. */
  readonly schema: z.ZodType;
}

/** All of them. */
export const SCALAR_KEYS: readonly ScalarKey[] = [...scalarKeys(config)];

/** The keys of lists; no other than the configuration itself has any. */
export const LIST_KEYS: readonly string[] = Object.entries(config.shape)
  .filter(([, optional]) => (optional as z.ZodOptional).unwrap() instanceof z.ZodArray)
  .map(([name]) => name);

/** The keys that the object at `path` may have, the configuration itself being at `[]`. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  const objects: Record<string, z.ZodObject> = {
    "": config,
    s3,
    "s3.assumeRole": assumeRole,
    files,
    encryption,
    wake: wakeUp,
  };
  const names = path.filter((part) => typeof part === "string");
  return Object.keys(objects[names.join(".")]?.shape ?? {}).filter((name) => name !== "$schema");
}

/** JSON Schema of the configuration file, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(config, { io: "input", target: "draft-7" }), title: "feedsync" };
}

function* scalarKeys(object: z.ZodObject, path: readonly string[] = []): Iterable<ScalarKey> {
  for (const [name, optional] of Object.entries(object.shape)) {
    if (name === "$schema") continue;
    const schema = (optional as z.ZodOptional<z.ZodType>).unwrap();
    if (schema instanceof z.ZodObject) yield* scalarKeys(schema, [...path, name]);
    else if (!(schema instanceof z.ZodArray)) yield { path: [...path, name], schema };
  }
}
