/** Makes sure that the directory exists, parents included. Stands in for the function of that name in `@std/fs`. */
export async function ensureDir(dir: string | URL): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
  } catch (error) {
    if (!(await Deno.stat(dir).catch(() => undefined))?.isDirectory) throw error;
  }
}
