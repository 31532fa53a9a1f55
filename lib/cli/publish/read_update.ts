/**
 * Reads the update for `feedsync publish` from its arguments and input.
 *
 * @module
 */
import { MAX_UPDATE_BYTES } from "../../log/codec.ts";
import { InvalidUpdateError, messageOf } from "../../errors.ts";
import { contentFromBytes, type Json, type JsonObject, type UpdateInput } from "../../update.ts";
import type { Arguments } from "../command.ts";
import { UsageError } from "../exit.ts";
import { inputName, readInput } from "../read_input.ts";

/** Source of the content: a file or standard input; `removed` when the feed is gone. */
export type Source = { readonly file: string } | "standard input" | "removed";

/**
 * Determines the source of the content.
 *
 * @throws {UsageError} when the arguments contradict each other, or standard input is a terminal.
 */
export function sourceOf(
  args: Arguments,
  { stdinIsTerminal }: { readonly stdinIsTerminal: boolean },
): Source {
  const [, file] = args.operands;
  if (args.has("remove")) {
    if (file !== undefined) throw new UsageError("Cannot publish a file with --remove");
    if (args.has("json-content")) throw new UsageError("Cannot use --json-content with --remove");
    return "removed";
  }
  if (file === "-") return "standard input";
  if (file !== undefined) return { file };
  if (!stdinIsTerminal) return "standard input";
  throw new UsageError("The content is missing: give a FILE, - for standard input, or --remove");
}

/**
 * Parses the metadata in `--metadata K=V`.
 *
 * @throws {UsageError} when a key is missing, or given twice.
 */
export function metadataOf(args: Arguments): JsonObject {
  const entries = args.list("metadata").map((text) => {
    const end = text.indexOf("=");
    if (end > 0) return [text.slice(0, end), text.slice(end + 1)] as const;
    throw new UsageError(`--metadata must look like KEY=VALUE: current value is "${text}"`);
  });
  const twice = entries.find(([key], index) => entries.findIndex(([k]) => k === key) < index);
  if (twice) throw new UsageError(`--metadata gives "${twice[0]}" twice`);
  return Object.fromEntries(entries);
}

/**
 * Reads the content; with `json`, parses it as JSON.
 *
 * @throws {InvalidUpdateError} when it cannot be read, is empty, or is not valid JSON.
 */
export async function readContent(
  source: Source,
  { json, signal }: { readonly json: boolean; readonly signal: AbortSignal },
): Promise<Pick<UpdateInput, "content" | "removed">> {
  if (source === "removed") return { removed: true };
  const file = source === "standard input" ? "-" : source.file, name = inputName(file);
  const limits = { maxBytes: MAX_UPDATE_BYTES, Failure: InvalidUpdateError };
  const bytes = await readInput(file, { ...limits, signal });
  if (bytes.length === 0) {
    throw new InvalidUpdateError(
      `Cannot publish ${name}: it is empty; if the feed is gone, use --remove`,
    );
  }
  return { content: json ? parseJson(bytes, name) : contentFromBytes(bytes) };
}

function parseJson(bytes: Uint8Array, name: string): Json {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InvalidUpdateError(`Cannot read ${name} as JSON: ${messageOf(cause)}`, { cause });
  }
}
