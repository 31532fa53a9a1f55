/**
 * Keeps what a person saved when something newer takes its place.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { writeDurably } from "../../base/durable_file.ts";

/** No longer name is allowed by common file systems, in bytes. */
const MAX_NAME_BYTES = 255;

/** Copies of one file made within the same second. */
const MOST_COPIES = 1000;

/**
 * Gives what is at `path` a second name, which no feed file has, and returns the path of that; undefined
 * when nothing is there any more. What has such a name already stays. A link stays a link. Where the file
 * system has no second names, it is a copy: at `path` the file stays in any case, as one that is missing
 * would be a feed that is gone.
 */
export async function keepAside(path: string, now: Date): Promise<string | undefined> {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  for (let copy = 1; copy <= MOST_COPIES; copy++) {
    const suffix = `.kept-${time}Z${copy === 1 ? "" : `-${copy}`}`;
    const kept = join(dirname(path), shortenedTo(basename(path), suffix) + suffix);
    try {
      await Deno.link(path, kept).catch((error) => copyUnlessThere(error, path, kept));
      return kept;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
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

/** After a link has failed with `reason`. */
async function copyUnlessThere(reason: unknown, from: string, to: string): Promise<void> {
  if (reason instanceof Deno.errors.AlreadyExists) throw reason;
  const { isSymlink, mode } = await Deno.lstat(from);
  if (isSymlink) return await Deno.symlink(await Deno.readLink(from), to);
  try {
    await writeDurably(to, await Deno.readFile(from), { mode: (mode ?? 0o600) & 0o777 });
  } catch (error) {
    // Who may not read it has not published it either: that it is missing for a moment tells nothing.
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    await Deno.rename(from, to);
  }
}
