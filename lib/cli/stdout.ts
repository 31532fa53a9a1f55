/**
 * Standard output.
 *
 * @module
 */
import { printable } from "../base/printable.ts";

/** Writes a line, whole, before the promise resolves; it is made {@linkcode printable}. */
export async function print(line: string): Promise<void> {
  const writer = Deno.stdout.writable.getWriter();
  const written = writer.write(new TextEncoder().encode(`${printable(line)}\n`));
  writer.releaseLock();
  await written;
}
