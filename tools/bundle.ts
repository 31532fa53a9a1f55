/**
 * Bundles the command line: the same program in fewer and smaller files, which starts faster.
 *
 *     deno task bundle
 *
 * @module
 */
import { join } from "node:path";
import { COMMANDS, moduleOf } from "../lib/cli/commands.ts";

const ROOT = join(import.meta.dirname!, "..");

/** How `deno bundle` has packages require Node's modules. To load that takes almost as long as Deno itself. */
const CREATE_REQUIRE =
  /import\{createRequire as (\w+)\} ?from ?"node:module";var (\w+)=\1\(import\.meta\.url\);/;

/** An import that waits until it is needed. Deno reads what a literal names at the start, with all its dependencies. */
const LITERAL_IMPORT = /\bimport\(("\.[^"]+\.js")\)/g;

/** Bundles the command line as `cli.js` in a directory, in place of what is there. */
export async function bundle(directory: string): Promise<void> {
  await Deno.remove(directory, { recursive: true }).catch(() => {});
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--frozen", "--minify", "--code-splitting", "--platform", "deno"],
      ...["--outdir", directory, "cli.ts", ...COMMANDS.map(moduleOf)],
    ],
    cwd: ROOT,
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot bundle the command line, see above");
  let requiring = 0;
  for await (const path of filesBelow(directory)) {
    const bundled = await Deno.readTextFile(path);
    if (CREATE_REQUIRE.test(bundled)) requiring++;
    await Deno.writeTextFile(
      path,
      bundled.replace(CREATE_REQUIRE, "var $2=name=>process.getBuiltinModule(name);")
        .replace(LITERAL_IMPORT, "import(String($1))"),
    );
  }
  if (requiring !== 1) {
    throw new Error(`Cannot find createRequire in the bundle once: ${requiring}`);
  }
}

async function* filesBelow(directory: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isDirectory) yield* filesBelow(path);
    else yield path;
  }
}

if (import.meta.main) await bundle(join(ROOT, "dist"));
