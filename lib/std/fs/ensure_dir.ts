/**
 * Stands in for `@std/fs/ensure-dir` where JSR cannot be reached.
 *
 * @module
 */

/**
 * Makes sure that the directory exists, its parents included.
 *
 * @throws {Deno.errors.AlreadyExists} when there is something else of that name.
 */
export async function ensureDir(dir: string | URL): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
}
