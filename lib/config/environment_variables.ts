/**
 * Reads the configuration from environment variables: each key that is not a list or section has
 * one.
 *
 * @module
 */
import { nearest } from "../base/nearest.ts";
import { ConfigError } from "../errors.ts";
import { checkConfig, type CheckedConfig } from "./check.ts";
import type { CoreConfig } from "./core.ts";
import { LIST_KEYS, SCALAR_KEYS, type ScalarKey } from "./schema.ts";

const PREFIX = "FEEDSYNC_";
/**
 * Variables that are not settings: those of the test suite, and those that the `exec` plugin sets.
 */
const FOREIGN = /^FEEDSYNC_(TEST_.*|URL|ID|ORIGIN|TIME|STREAM|SEQ|SUPERSEDED|REMOVED)$/;

/** The variable of a key: `FEEDSYNC_S3_ACCESS_KEY_ID` for `["s3", "accessKeyId"]`. */
export function variableOf(path: readonly PropertyKey[]): string {
  const words = path.map((name) => String(name).replace(/[A-Z]/g, "_$&").toUpperCase());
  return PREFIX + words.join("_");
}

const KEYS: ReadonlyMap<string, ScalarKey> = new Map(
  SCALAR_KEYS.map((key) => [variableOf(key.path), key]),
);

/**
 * Reads the `FEEDSYNC_` variables in `env`; empty ones count as unset. The variable of
 * `unknownKeys` decides whether unknown ones are errors; by default, the argument does.
 *
 * @throws {ConfigError} when a variable is unknown, or a value is invalid.
 */
export function configFromEnvironment(
  env: Readonly<Record<string, string>>,
  unknownKeys: CoreConfig["unknownKeys"] = "error",
): CheckedConfig {
  const config: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || FOREIGN.test(name) || text === "") continue;
    const key = KEYS.get(name);
    if (key) assign(config, key.path, fromText(key, text));
    else unknown.push(unknownVariable(name));
  }
  const checked = checkConfig(config, variableOf).config;
  if (unknown.length > 0 && (checked.unknownKeys ?? unknownKeys) !== "warn") {
    throw new ConfigError(`Cannot use the environment: ${unknown.join("; ")}`);
  }
  return { config: checked, warnings: unknown.map((text) => `Ignoring a variable: ${text}`) };
}

function unknownVariable(name: string): string {
  const list = LIST_KEYS.find((path) => endsWith(path, name));
  return list === undefined
    ? `unknown variable ${name}, ${suggestVariable(name)}`
    : `there is no variable ${name}: '${list.join(".")}' is a list and can only be set in the ` +
      "configuration file";
}

/** Whether `name` is the variable of the path, or of a later part of it. */
function endsWith(path: readonly string[], name: string): boolean {
  return path.some((_, index) => variableOf(path.slice(index)) === name);
}

/** Suggests a similar variable. Compares without the prefix, which would make all names similar. */
function suggestVariable(name: string): string {
  const lacksSection = SCALAR_KEYS.find(({ path }) => endsWith(path, name));
  if (lacksSection) return `did you mean "${variableOf(lacksSection.path)}"?`;
  const found = nearest(withoutPrefix(name), [...KEYS.keys()].map(withoutPrefix));
  return found === undefined
    ? "each key of the configuration that is not a list or object has a variable"
    : `did you mean "${PREFIX}${found}"?`;
}

function withoutPrefix(name: string): string {
  return name.slice(PREFIX.length);
}

/** The text itself if the key accepts it, else the boolean or number in it. */
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
