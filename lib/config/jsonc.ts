/**
 * Parses configuration files with comments and trailing commas, and locates keys in them.
 *
 * @module
 */
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { ConfigError } from "../errors.ts";
import type { Locate } from "./check.ts";

/** A part of a file. */
export interface ParsedPart {
  /** Its value. */
  readonly value: unknown;
  /** Finds the positions of keys in it. */
  readonly locate: Locate;
}

/**
 * Parses the part of a file that is at the path of keys `at`; undefined when there is none.
 *
 * @throws {ConfigError} with the place, when the file is not JSON.
 */
export function parseWithComments(
  path: string,
  text: string,
  at: readonly string[],
): ParsedPart | undefined {
  try {
    return parse(path, text, at);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ConfigError(`Cannot read ${path}: it is nested too deeply`, { cause });
  }
}

function parse(path: string, text: string, at: readonly string[]): ParsedPart | undefined {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || !root) throw syntaxError(path, text, errors[0]);
  const node = findNodeAtLocation(root, [...at]);
  if (!node) return undefined;
  const locate: Locate = (key) => `${path}:${lineAndColumn(text, offsetOf(node, key))}`;
  return { value: getNodeValue(node), locate };
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
