/**
 * Standard output.
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
  const writer = Deno.stdout.writable.getWriter();
  const written = writer.write(new TextEncoder().encode(`${printable(line)}\n`));
  writer.releaseLock();
  await written;
}

/** Writes bytes to standard output unchanged; resolves when all of them are written. */
export async function printBytes(bytes: Uint8Array): Promise<void> {
  const writer = Deno.stdout.writable.getWriter();
  const written = writer.write(bytes as Uint8Array<ArrayBuffer>);
  writer.releaseLock();
  await written;
}
