/**
 * Reads what a command is given: a file, or standard input.
 *
 * @module
 */
import { abortable } from "../base/deadline.ts";
import { readAtMost } from "../base/read_at_most.ts";
import { type FeedSyncError, messageOf } from "../errors.ts";
import { BadInputError } from "./exit.ts";

/** So much is read at a time. */
const CHUNK_BYTES = 64 * 1024;

/** Options of {@linkcode readInput}. */
export interface InputOptions {
  /** Maximum length. */
  readonly maxBytes: number;
  /** Stops waiting: reading a terminal or a pipe cannot be aborted. */
  readonly signal: AbortSignal;
  /** Class of the error when it cannot be read. @default {BadInputError} */
  readonly Failure?: new (message: string, options?: ErrorOptions) => FeedSyncError;
}

/** The name of `file` in messages. */
export function inputName(file: string): string {
  return file === "-" ? "standard input" : file;
}

/**
 * Reads a file to its end, or standard input for `-`.
 *
 * @throws {BadInputError} or a `Failure`, when it cannot be read, or is too large.
 */
export async function readInput(
  file: string,
  { maxBytes, signal, Failure = BadInputError }: InputOptions,
): Promise<Uint8Array> {
  const name = inputName(file);
  const reading = readBytes(file, maxBytes).catch((cause) => {
    throw new Failure(`Cannot read ${name}: ${messageOf(cause)}`, { cause });
  });
  const bytes = await abortable(reading, signal);
  if (bytes !== "too large") return bytes;
  throw new Failure(`Cannot read ${name}: it has more than ${maxBytes} bytes`);
}

async function readBytes(file: string, maxBytes: number): Promise<Uint8Array | "too large"> {
  if (file === "-") return await readAtMost(chunksOf(Deno.stdin), maxBytes);
  using opened = await Deno.open(file);
  return await readAtMost(chunksOf(opened), maxBytes);
}

/** What a file holds, without its stream: to load streams takes longer than to read most feeds. */
async function* chunksOf(file: Pick<Deno.FsFile, "read">): AsyncIterable<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const length = await file.read(chunk);
    if (length === null) return;
    yield chunk.subarray(0, length);
  }
}
