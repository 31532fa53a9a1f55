/**
 * Keeps what a person saved when something newer takes its place.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";

/** No longer name is allowed by common file systems, in bytes. */
const MAX_NAME_BYTES = 255;

/** Copies of one file made within the same second. */
const MOST_COPIES = 1000;

/**
 * Gives what is at `path` a second name, which no feed file has, and returns the path of that; undefined
 * when nothing is there any more. What has such a name already stays. A link stays a link. The file
 * stays at `path`, too, where the file system allows two names.
 */
export async function keepAside(path: string, now: Date): Promise<string | undefined> {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  for (let copy = 1; copy <= MOST_COPIES; copy++) {
    const suffix = `.kept-${time}Z${copy === 1 ? "" : `-${copy}`}`;
    const kept = join(dirname(path), shortenedTo(basename(path), suffix) + suffix);
    try {
      await Deno.link(path, kept);
      return kept;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      if (error instanceof Deno.errors.NotFound) return undefined;
    }
    // The file system has no second names; what is at the new one must not be replaced.
    if (await isThere(kept)) continue;
    return await rename(path, kept) ? kept : undefined;
  }
  throw new Error(`Cannot keep '${path}': there are ${MOST_COPIES} kept copies of it already`);
}

function shortenedTo(name: string, suffix: string): string {
  let text = name;
  while (new TextEncoder().encode(text + suffix).length > MAX_NAME_BYTES) {
    text = [...text].slice(0, -1).join("");
  }
  return text;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function rename(from: string, to: string): Promise<boolean> {
  try {
    await Deno.rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
