/**
 * Whether a file has changed, without reading it.
 *
 * @module
 */

/** Differs when the file was written, replaced, or given other rights. */
export function fileVersion({ dev, ino, mode, size, mtime, ctime }: Deno.FileInfo): string {
  return [dev, ino, mode, size, Number(mtime), Number(ctime)].join(":");
}
