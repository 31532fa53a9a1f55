/**
 * Finds and reads the configuration file, and locates keys in it.
 *
 * @module
 */
import { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Node, ParseError } from "jsonc-parser";
import { basename, resolve } from "node:path";
import { ConfigError, messageOf } from "../errors.ts";
import type { Locate } from "./check.ts";

/** A configuration file. */
export interface ConfigFile {
  /** Absolute path of the file. */
  readonly path: string;
  /** The configuration in it, not yet checked. */
  readonly value: unknown;
  /** Finds the position of a key in the file. */
  readonly locate: Locate;
}

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
    const file = text === undefined ? undefined : parseFile(path, text);
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
  const file = parseFile(path, text);
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

function parseFile(path: string, text: string): ConfigFile | undefined {
  try {
    return parse(path, text);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ConfigError(`Cannot read ${path}: it is nested too deeply`, { cause });
  }
}

function parse(path: string, text: string): ConfigFile | undefined {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || !root) {
    throw syntaxError(path, text, errors[0]);
  }
  const at = /^deno\.jsonc?$/.test(basename(path)) ? ["feedsync"] : [];
  const node = findNodeAtLocation(root, at);
  if (!node) return undefined;
  return {
    path,
    value: getNodeValue(node),
    locate: (key) => `${path}:${lineAndColumn(text, offsetOf(node, key))}`,
  };
}

function syntaxError(path: string, text: string, first: ParseError | undefined): ConfigError {
  const found = first && text.trim() !== ""
    ? printParseErrorCode(first.error).replace(/\B[A-Z]/g, " $&").toLowerCase()
    : "the file is empty";
  const place = `${path}:${lineAndColumn(text, first?.offset ?? 0)}`;
  return new ConfigError(`Cannot read ${place}: ${found}`);
}

/** Offset of the key at `path`, or of its nearest parent that is in the file. */
function offsetOf(root: Node, path: readonly PropertyKey[]): number {
  const segments = path.map((name) => typeof name === "number" ? name : String(name));
  const node = findNodeAtLocation(root, segments);
  if (!node) return path.length === 0 ? root.offset : offsetOf(root, path.slice(0, -1));
  return node.parent?.type === "property" && path.length > 0 ? node.parent.offset : node.offset;
}

function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${before[before.length - 1].length + 1}`;
}
