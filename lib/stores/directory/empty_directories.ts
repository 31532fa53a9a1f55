/**
 * Removes directories of a store that are empty: each costs a listing time, and one remains of every
 * stream that has expired.
 *
 * @module
 */
import { rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A directory that is made for a file has it in much less time: milliseconds. */
const GRACE = 60_000;

/** What the system answers when there is nothing to remove: somebody was quicker, or put a file there. */
const HARMLESS = ["ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR"];

/**
 * Removes them below one root. `rmdir` takes no directory that has anything in it, so nobody's file is
 * lost; who is about to put one there makes the directory again. The root and the directories in
 * it stay: they are few, and watched.
 */
export class EmptyDirectories {
  readonly #root: string;
  /** This user may not, so that trying once was enough. */
  #isRefused = false;

  /** Those below `root`. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Removes a directory if it is empty, and was not made just now: somebody may be about to use it. */
  async removeOld(directory: string, now: number): Promise<void> {
    const { mtime } = await Deno.stat(join(this.#root, directory)).catch(() => ({ mtime: null }));
    if (mtime && now - mtime.getTime() >= GRACE) await this.remove(directory);
  }

  /** Removes a directory if it is empty, such as `tail/web-1_abcdefgh`, and what it was alone in. */
  async remove(directory: string): Promise<void> {
    while (!this.#isRefused && directory.includes("/")) {
      try {
        await rmdir(join(this.#root, directory));
      } catch (error) {
        this.#isRefused = !HARMLESS.includes(codeOf(error));
        return;
      }
      directory = dirname(directory);
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
