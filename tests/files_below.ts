import { join } from "node:path";

/** Directories of the repository that hold nothing of its own. */
const SKIPPED = new Set([".git", ".feedsync", "node_modules", "coverage"]);

/** The paths of all files below a directory whose names end with that. */
export function* filesBelow(directory: string, ending: string): Iterable<string> {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const path = join(directory, name);
    if (isDirectory && !SKIPPED.has(name)) yield* filesBelow(path, ending);
    else if (!isDirectory && name.endsWith(ending)) yield path;
  }
}
