/**
 * Standard output. It is written without its stream, as to load streams takes longer than a publish
 * takes to print what it has done.
 *
 * @module
 */
import { printable } from "./printable.ts";

/**
 * Writes a line to standard output, whole, before the promise resolves. Characters that a terminal
 * could take for commands are written as `\uXXXX`: updates come from elsewhere.
 *
 * @example
 * ```ts
 * import { print } from "@feedsync/feedsync/plugin";
 *
 * await print("https://example.com/feed.xml");
 * ```
 */
export async function print(line: string): Promise<void> {
  await printBytes(new TextEncoder().encode(`${printable(line)}\n`));
}

/** Writes bytes to standard output unchanged; resolves when all of them are written. */
export function printBytes(bytes: Uint8Array): Promise<void> {
  return lastPrinted = printAfter(lastPrinted, bytes);
}

/** What is printed waits for what was before: a pipe may take a part of it at a time. */
let lastPrinted: Promise<void> = Promise.resolve();

let isBroken = false;

/** Whether standard output is closed: a write has failed, and with it all later ones. */
export function isStdoutBroken(): boolean {
  return isBroken;
}

async function printAfter(previous: Promise<void>, bytes: Uint8Array): Promise<void> {
  await previous;
  try {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await Deno.stdout.write(rest));
  } catch (error) {
    isBroken = true;
    throw error;
  }
}
