/**
 * Writing a result to a file.
 *
 * @module
 */
import { dirname } from "node:path";
import { FeedSyncError, messageOf } from "../../errors.ts";
import { prepareFile } from "../../files/writing/replace_file.ts";

/**
 * Writes the file in one step: whoever reads it sees what was there before, or all that is new. What is not a
 * regular file, such as a pipe, is written into.
 *
 * @throws {FeedSyncError} when it cannot be written.
 */
export async function writeOutput(file: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    const there = await ifThere(Deno.stat(file));
    if (there && !there.isFile) return await Deno.writeFile(file, bytes, { create: false });
    const path = await ifThere(Deno.realPath(file)) ?? file; // What a link points to.
    await using prepared = await prepareFile(dirname(path), bytes);
    if (there) await prepared.copyRights(there);
    await prepared.moveTo(path);
  } catch (cause) {
    throw new FeedSyncError(`Cannot write ${file}: ${messageOf(cause)}`, { cause });
  }
}

async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
