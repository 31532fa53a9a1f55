/**
 * Validates configurations.
 *
 * @module
 */
import type * as z from "zod/mini";
import { nearest } from "../base/nearest.ts";
import { ConfigError } from "../errors.ts";
import { API_SECRETS, checkApi } from "./api.ts";
import type { Config } from "./config.ts";
import { checkCore, type CoreConfig } from "./core.ts";
import { checkEncryption, ENCRYPTION_SECRETS } from "./encryption.ts";
import { checkFiles } from "./files.ts";
import { checkS3, S3_SECRETS } from "./s3.ts";
import { configSchema, keysAt, LIST_KEYS, SCALAR_KEYS } from "./schema.ts";
import { checkWake, WAKE_SECRETS } from "./wake.ts";

/** Where the value at a path was written, such as `feedsync.jsonc:3:11`. */
export type Locate = (path: readonly PropertyKey[]) => string | undefined;

/** A configuration that can be used. */
export interface CheckedConfig {
  /** The configuration without its unknown keys. */
  readonly config: Config;
  /** One sentence per unknown key, if those are not errors. */
  readonly warnings: readonly string[];
}

/** Keys whose values must not appear in messages. */
const SECRETS: ReadonlySet<string> = new Set([
  ...S3_SECRETS,
  ...ENCRYPTION_SECRETS,
  ...WAKE_SECRETS,
  ...API_SECRETS,
]);

/**
 * Checks the configuration from one source. `unknownKeys` decides whether unknown keys are errors;
 * by default, the key of that name in `value` does.
 *
 * @throws {ConfigError} that names every wrong key, its place, and what is allowed.
 */
export function checkConfig(
  value: unknown,
  locate: Locate = () => undefined,
  unknownKeys: CoreConfig["unknownKeys"] = (value as CoreConfig | null)?.unknownKeys,
): CheckedConfig {
  const result = check(value);
  if (result.success) return { config: result.data, warnings: [] };
  const { issues } = result.error;
  const unknown = issues.filter((issue) => issue.code === "unrecognized_keys");
  if (unknownKeys === "warn" && unknown.length > 0) {
    const known = unknown.reduce((rest, { path, keys }) => without(rest, path, keys), value);
    const { config } = checkConfig(known, locate, "error");
    const warnings = unknown.flatMap((issue) => describe(issue, locate));
    return {
      config,
      warnings: warnings.map((text) => `Ignoring part of the configuration: ${text}`),
    };
  }
  const problems = issues.flatMap((issue) => describe(issue, locate));
  throw new ConfigError(`Cannot use the configuration: ${problems.join("; ")}`);
}

/** Checks the values of flags; returns one sentence per invalid value. */
export function wrongFlags(flags: Config): string[] {
  const { error } = check(flags);
  return (error?.issues ?? []).map((issue) => `--${flagOf(issue.path)} ${rule(issue)}`);
}

/** The flag of a key. Those of the section `s3` are called like the keys in it. */
function flagOf([section, name]: readonly PropertyKey[]): string {
  return String(section === "s3" ? name : section);
}

/**
 * Checks the keys together, once all sources are merged.
 *
 * @throws {ConfigError} when a required key is missing, or keys contradict each other.
 */
export function checkComplete(config: Config): void {
  const { s3, files, encryption, wake, api } = config;
  if (files) checkFiles(files);
  if (encryption) checkEncryption(encryption);
  checkCore(config);
  if (wake) checkWake(wake, config.presence);
  if (api) checkApi(api);
  if (s3) checkS3(s3);
}

/** The path of the key called `name` in some section, the shallowest if there are several. */
export function pathEndingWith(name: string): readonly string[] | undefined {
  return [...SCALAR_KEYS.map(({ path }) => path), ...LIST_KEYS]
    .filter((path) => path.at(-1) === name)
    .toSorted((a, b) => a.length - b.length)[0];
}

function check(value: unknown): z.core.util.SafeParseResult<Config> {
  return configSchema.safeParse(value, { error: explain, reportInput: true });
}

/** A copy of `value` in which the object at `path` lacks `keys`. */
function without(
  value: unknown,
  [name, ...rest]: readonly PropertyKey[],
  keys: readonly string[],
): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => index === name ? without(item, rest, keys) : item);
  }
  const members = Object.entries(value as object);
  if (name === undefined) return Object.fromEntries(members.filter(([key]) => !keys.includes(key)));
  return Object.fromEntries(
    members.map(([key, member]) => [key, key === name ? without(member, rest, keys) : member]),
  );
}

function describe(issue: z.core.$ZodIssue, locate: Locate): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return `${place(path, locate)}unknown key '${path.join(".")}', ${
        suggestKey(key, issue.path)
      }`;
    });
  }
  const subject = issue.path.length === 0 ? "it" : `'${issue.path.join(".")}'`;
  return [`${place(issue.path, locate)}${subject} ${rule(issue)}`];
}

function rule(issue: z.core.$ZodIssue): string {
  return issue.message + currentValue(issue);
}

function place(path: readonly PropertyKey[], locate: Locate): string {
  const found = locate(path);
  return found === undefined ? "" : `${found}: `;
}

function suggestKey(key: string, parent: readonly PropertyKey[]): string {
  const valid = keysAt(parent);
  const elsewhere = SCALAR_KEYS.map(({ path }) => path.join("."));
  const found = pathEndingWith(key)?.join(".") ?? nearest(key, [...valid, ...elsewhere]);
  return found === undefined ? `the keys are ${valid.join(", ")}` : `did you mean '${found}'?`;
}

/** The message for an issue of zod/mini, which has none; rules with a message of their own keep it. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") return `must be ${NAMES[issue.expected] ?? issue.expected}`;
  if (issue.code !== "invalid_value") return undefined;
  return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
}

const NAMES: Record<string, string> = {
  string: "a string",
  boolean: "true or false",
  object: "an object",
  array: "an array",
};

function currentValue({ path, input }: z.core.$ZodIssue): string {
  if (typeof input === "object" || SECRETS.has(String(path.at(-1)))) return "";
  const shown = typeof input === "string" ? JSON.stringify(withoutCredentials(input)) : input;
  return `: current value is ${shown}`;
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/.*@/, "//…@").replace(/[?#].*/, "?…").slice(0, 100);
}
