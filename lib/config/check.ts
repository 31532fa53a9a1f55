/**
 * Checks configurations and says what is wrong with them.
 *
 * @module
 */
import type { z } from "zod";
import { ConfigError } from "../errors.ts";
import { parseDuration } from "../base/duration.ts";
import { checkS3, missing } from "./check_s3.ts";
import type { Config } from "./config.ts";
import { pollRange } from "./poll_range.ts";
import { DEFAULTS } from "./defaults.ts";
import { nearest } from "./nearest.ts";
import { configSchema, keysAt, SCALAR_KEYS } from "./schema.ts";

/** Where the value at a path was written, such as `feedsync.jsonc:3:11`. */
export type Locate = (path: readonly PropertyKey[]) => string | undefined;

/**
 * The keys whose values must not show up in messages; a text in place of these objects, or of the
 * path of keys, may be anything.
 */
const SECRET = new Set([
  "s3",
  "accessKeyId",
  "secretAccessKey",
  "sessionToken",
  "secret",
  "wakeToken",
  "encryption",
  "keys",
]);

/**
 * Checks what one source gives.
 *
 * @throws {ConfigError} that names every wrong key, its place, and what is allowed.
 */
export function checkConfig(value: unknown, locate: Locate = () => undefined): Config {
  const result = check(value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => describe(issue, locate));
  throw new ConfigError(`Cannot use the configuration: ${problems.join("; ")}`);
}

/** What is wrong with the values of flags, a sentence for each of them that is wrong. */
export function wrongFlags(flags: Config): string[] {
  const { error } = check(flags);
  return (error?.issues ?? []).map((issue) => `--${String(issue.path[0])} ${rule(issue)}`);
}

/**
 * Checks what only the sources together can tell.
 *
 * @throws {ConfigError} when a key lacks its companion.
 */
export function checkComplete(
  { s3, files, encryption, listen, peers = [], secret, wakeToken, poll, retention }: Config,
): void {
  if (files && files.directory === undefined) {
    throw missing("files.directory", "the other keys of 'files' need it");
  }
  if (encryption && encryption.keys === undefined) {
    throw missing("encryption.keys", "the other keys of 'encryption' need it");
  }
  const kept = retention ?? DEFAULTS.retention;
  if (kept !== false && pollRange(poll ?? DEFAULTS.poll).max > parseDuration(kept) / 2) {
    throw new ConfigError(
      "Cannot use the configuration: 'poll' must be at most half of 'retention', or updates expire " +
        "before they are found",
    );
  }
  if (peers.length > 0 && secret === undefined) {
    throw missing("secret", "'peers' need it: the same on all servers");
  }
  if (listen !== undefined && secret === undefined && wakeToken === undefined) {
    throw missing("secret", "'listen' needs it for peers, or 'wakeToken' for events of the bucket");
  }
  if (s3) checkS3(s3);
}

function check(value: unknown): z.ZodSafeParseResult<Config> {
  return configSchema.safeParse(value, { error: explain, reportInput: true });
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
  const found = nearest(key, [...valid, ...elsewhere]);
  return found === undefined ? `the keys are ${valid.join(", ")}` : `did you mean '${found}'?`;
}

/** Says in our words what zod found; rules with a message of their own keep that. */
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
  if (typeof input === "object" || SECRET.has(String(path.at(-1)))) return "";
  const shown = typeof input === "string" ? JSON.stringify(withoutCredentials(input)) : input;
  return `: current value is ${shown}`;
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/.*@/, "//…@").replace(/[?#].*/, "?…").slice(0, 100);
}
