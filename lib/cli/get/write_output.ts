/**
 * Writes a result to a file.
 *
 * @module
 */
import { dirname } from "node:path";
import { FeedSyncError, messageOf } from "../../errors.ts";
import { prepareFile } from "../../files/writing/replace_file.ts";

/**
 * Replaces the file atomically: readers see the old content or all of the new. Anything but a
 * regular file, such as a pipe, is written to directly.
 *
 * @throws {FeedSyncError} when the file cannot be written.
 */
export async function writeOutput(file: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    const there = await ifThere(Deno.stat(file));
    const target = await ifThere(Deno.realPath(file)); // The target of a link.
    // A pipe or a terminal, or an open file that has been deleted, as /dev/stdout may be.
    const isStream = there && (!there.isFile || target === undefined);
    if (isStream) return await Deno.writeFile(file, bytes, { create: false });
    const path = target ?? file;
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
