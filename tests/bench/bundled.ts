/**
 * The command line as `deno task bundle` makes it, in a directory of its own.
 *
 * @module
 */
import { join } from "node:path";
import { bundle } from "../../tools/bundle.ts";

/** Makes a bundle. */
export async function bundledCommandLine(): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await Deno.makeTempDir({ prefix: "feedsync-bench-" });
  await bundle(directory);
  return {
    path: join(directory, "cli.js"),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}
