/**
 * What `feedsync publish` is told to publish.
 *
 * @module
 */
import { MAX_UPDATE_BYTES } from "../../log/codec.ts";
import { InvalidUpdateError, messageOf } from "../../errors.ts";
import { abortable } from "../../base/deadline.ts";
import { readAtMost } from "../../base/read_at_most.ts";
import { contentFromBytes, type Json, type JsonObject, type UpdateInput } from "../../update.ts";
import type { Arguments } from "../command.ts";
import { UsageError } from "../exit.ts";

/** Where the content comes from: a file, standard input, or nowhere since the feed is gone. */
export type Source = { readonly file: string } | "standard input" | "removed";

/**
 * Finds out where the content comes from.
 *
 * @throws {UsageError} when the arguments contradict each other, or nobody would give content.
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
 * The metadata of `--metadata K=V`.
 *
 * @throws {UsageError} when one has no key, or a key is there twice.
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
 * Reads the content, as the JSON in it when `json`.
 *
 * @throws {InvalidUpdateError} when it cannot be read, is empty, or not JSON although it should be.
 */
export async function readContent(
  source: Source,
  { json, signal }: { readonly json: boolean; readonly signal: AbortSignal },
): Promise<Pick<UpdateInput, "content" | "removed">> {
  if (source === "removed") return { removed: true };
  const name = source === "standard input" ? source : source.file;
  // Reading a terminal or a pipe cannot be aborted.
  const bytes = await abortable(readBytes(source), signal);
  if (bytes === "too large") {
    throw new InvalidUpdateError(
      `Cannot publish ${name}: it has more than the ${MAX_UPDATE_BYTES} bytes that can be published`,
    );
  }
  if (bytes.length === 0) {
    throw new InvalidUpdateError(
      `Cannot publish ${name}: it is empty; when the feed is gone, use --remove`,
    );
  }
  return { content: json ? parseJson(bytes, name) : contentFromBytes(bytes) };
}

async function readBytes(source: Exclude<Source, "removed">): Promise<Uint8Array | "too large"> {
  if (source === "standard input") return await readAtMost(Deno.stdin.readable, MAX_UPDATE_BYTES);
  try {
    using file = await Deno.open(source.file);
    return await readAtMost(file.readable, MAX_UPDATE_BYTES);
  } catch (cause) {
    throw new InvalidUpdateError(`Cannot read ${source.file}: ${messageOf(cause)}`, { cause });
  }
}

function parseJson(bytes: Uint8Array, name: string): Json {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InvalidUpdateError(`Cannot read ${name} as JSON: ${messageOf(cause)}`, { cause });
  }
}
