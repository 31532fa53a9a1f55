/**
 * Finds and reads the configuration file, and locates keys in it.
 *
 * @module
 */
import { basename, resolve } from "node:path";
import { ConfigError, messageOf } from "../errors.ts";
import type { Locate } from "./check.ts";

/** A configuration file. */
export interface ConfigFile {
  /** Absolute path of the file. */
  readonly path: string;
  /** The configuration in it, not yet checked. */
  readonly value: unknown;
  /** Finds the positions of keys in the file. */
  locator(): Promise<Locate>;
}

/** `JSON.parse` takes any depth, which what follows does not; from here on the other parser decides. */
const MAX_DEPTH = 500;

/** Names of configuration files; the first that exists is used. */
const NAMES = ["feedsync.jsonc", "feedsync.json", "deno.json", "deno.jsonc"];

/**
 * Reads the configuration file in `directory`: `feedsync.jsonc`, `feedsync.json`, or the `feedsync`
 * key of `deno.json` or `deno.jsonc`. Resolves to `undefined` when there is none.
 *
 * @throws {ConfigError} when it cannot be read or is not JSON.
 */
export async function findConfigFile(directory: string): Promise<ConfigFile | undefined> {
  for (const name of NAMES) {
    const path = resolve(directory, name);
    const text = await readText(path);
    const file = text === undefined ? undefined : await parseFile(path, text);
    if (file) return file;
  }
  return undefined;
}

/**
 * Reads the configuration file at `path`, which may be a `deno.json` with a `feedsync` key. Resolves
 * to `undefined` only if it may be missing, `isNew`, and is.
 *
 * @throws {ConfigError} when it is missing, cannot be read or is not JSON.
 */
export async function readConfigFile(
  path: string,
  { isNew }: { readonly isNew: boolean },
): Promise<ConfigFile | undefined> {
  const text = await readText(path);
  if (text === undefined) {
    if (isNew) return undefined;
    throw new ConfigError(`Cannot read the configuration: ${path} does not exist`);
  }
  const file = await parseFile(path, text);
  if (!file) throw new ConfigError(`Cannot read the configuration: ${path} has no key 'feedsync'`);
  return file;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return (await Deno.readTextFile(path)).replace(/^\uFEFF/, "");
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    const reason = `Cannot read the configuration ${path}: ${messageOf(cause)}`;
    throw new ConfigError(reason, { cause });
  }
}

/** The parser of JSON with comments takes longer to load than all else: most files do without. */
async function parseFile(path: string, text: string): Promise<ConfigFile | undefined> {
  const at = /^deno\.jsonc?$/.test(basename(path)) ? ["feedsync"] : [];
  const parsed = async () => {
    const { parseWithComments } = await import("./jsonc.ts");
    return parseWithComments(path, text, at);
  };
  const json = parseJson(text);
  if (json === undefined) {
    const found = await parsed();
    return found && { path, value: found.value, locator: () => Promise.resolve(found.locate) };
  }
  const value = at.length === 0 ? json.value : Object(json.value)[at[0]];
  if (value === undefined) return undefined;
  return { path, value, locator: async () => (await parsed())?.locate ?? (() => undefined) };
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value = JSON.parse(text);
    return depthOf(text) > MAX_DEPTH ? undefined : { value };
  } catch {
    return undefined;
  }
}

/** How deep the values of a JSON text are nested. */
function depthOf(json: string): number {
  let depth = 0, most = 0;
  for (const bracket of json.replace(/"(?:[^"\\]|\\.)*"/g, "").match(/[[\]{}]/g) ?? []) {
    depth += "[{".includes(bracket) ? 1 : -1;
    most = Math.max(most, depth);
  }
  return most;
}
