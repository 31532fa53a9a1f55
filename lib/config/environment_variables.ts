/**
 * The configuration that environment variables give: each scalar key has one.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { checkConfig } from "./check.ts";
import type { Config } from "./config.ts";
import { nearest } from "./nearest.ts";
import { LIST_KEYS, SCALAR_KEYS, type ScalarKey } from "./schema.ts";

const PREFIX = "FEEDSYNC_";
/** Variables of the test suite, and those that the `exec` plugin gives its command: no settings. */
const FOREIGN = /^FEEDSYNC_(TEST_.*|URL|ID|ORIGIN|TIME|STREAM|SEQ|SUPERSEDED|REMOVED)$/;

/**
 * The variable of a key: `FEEDSYNC_S3_ACCESS_KEY_ID` for `["s3", "accessKeyId"]`. What is in
 * `encryption` goes without that: `FEEDSYNC_KEYS`.
 */
export function variableOf(path: readonly PropertyKey[]): string {
  const names = path.length > 1 && path[0] === "encryption" ? path.slice(1) : path;
  const words = names.map((name) => String(name).replace(/[A-Z]/g, "_$&").toUpperCase());
  return PREFIX + words.join("_");
}

/**
 * Reads the `FEEDSYNC_` variables in `env`; empty ones count as unset.
 *
 * @throws {ConfigError} when there is one without a key, or a value is wrong.
 */
export function configFromEnvironment(env: Readonly<Record<string, string>>): Config {
  const keys = new Map(SCALAR_KEYS.map((key) => [variableOf(key.path), key]));
  const config: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || FOREIGN.test(name) || text === "") continue;
    const key = keys.get(name);
    if (!key) throw unknownVariable(name, [...keys.keys()]);
    assign(config, key.path, fromText(key, text));
  }
  return checkConfig(config, variableOf);
}

function unknownVariable(name: string, known: readonly string[]): ConfigError {
  const list = LIST_KEYS.find((key) => variableOf([key]) === name);
  const problem = list === undefined
    ? `unknown variable ${name}, ${suggestVariable(name, known)}`
    : `${name} is no variable, '${list}' can be set in the configuration file only`;
  return new ConfigError(`Cannot use the environment: ${problem}`);
}

/** The prefix, which all have, makes none like the other. */
function suggestVariable(name: string, known: readonly string[]): string {
  const found = nearest(withoutPrefix(name), known.map(withoutPrefix));
  return found === undefined
    ? "there is one for each key of the configuration that is not a list or object"
    : `did you mean "${PREFIX}${found}"?`;
}

function withoutPrefix(name: string): string {
  return name.slice(PREFIX.length);
}

/** The text itself where the key takes it, else the boolean or number that it spells. */
function fromText({ schema }: ScalarKey, text: string): unknown {
  if (schema.safeParse(text).success) return text;
  if (text === "true" || text === "false") return text === "true";
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function assign(config: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path;
  if (rest.length === 0) config[name] = value;
  else assign((config[name] ??= {}) as Record<string, unknown>, rest, value);
}
