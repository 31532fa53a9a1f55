/**
 * Removes empty directories of a store: each makes listings slower, and every expired stream leaves
 * one.
 *
 * @module
 */
import { dirname, join } from "node:path";

/** Least age of a directory that is removed: a younger one may be about to get its first file. */
const GRACE_MS = 60_000;

/** Error codes for a directory that is not empty or no longer exists. */
const HARMLESS = ["ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR"];

/**
 * Removes empty directories below one root. `rmdir` never removes a directory with a file in it, so
 * no file is lost; a process that is about to write one creates the directory again. The root and
 * the directories directly in it stay: they are few, and watched.
 */
export class EmptyDirectories {
  readonly #root: string;
  /** Whether this user may not remove directories; then that is not tried again. */
  #isRefused = false;

  /** Creates it for the directories below `root`. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Removes a directory if it is empty and not new: another process may be about to use it. */
  async removeOld(directory: string, now: number): Promise<void> {
    const { mtime } = await Deno.stat(join(this.#root, directory)).catch(() => ({ mtime: null }));
    if (mtime && now - mtime.getTime() >= GRACE_MS) await this.remove(directory);
  }

  /** Removes a directory such as `tail/web-1_abcdefgh` if it is empty, and then its parents. */
  async remove(directory: string): Promise<void> {
    while (!this.#isRefused && directory.includes("/")) {
      try {
        const { rmdir } = await import("node:fs/promises"); // Takes long, and is rarely needed.
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
