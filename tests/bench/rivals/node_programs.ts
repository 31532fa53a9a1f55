/**
 * The programs of a comparison for Node, which may not know TypeScript.
 *
 * @module
 */
import { join } from "node:path";
import { pathOf } from "../program.ts";

const ESBUILD_VERSION = "0.28.2";

/** Installs npm packages in `directory`, and builds the programs there; returns where they are. */
export async function buildForNode(
  directory: string,
  packages: Readonly<Record<string, string>>,
): Promise<string> {
  const names = Object.entries({ ...packages, esbuild: ESBUILD_VERSION })
    .map(([name, version]) => `${name}@${version}`);
  await run("npm", ["install", "--prefix", directory, "--ignore-scripts", "--no-audit", ...names]);
  const programs = join(directory, "programs");
  await run(join(directory, "node_modules", ".bin", "esbuild"), [
    pathOf("programs/publisher.ts"),
    pathOf("programs/subscriber.ts"),
    `--outdir=${programs}`,
    "--out-extension:.js=.mjs",
    "--bundle",
    "--splitting", // What other contenders need is not loaded,
    "--packages=external", // nor looked for.
    "--platform=node",
    "--target=node20",
    "--format=esm",
  ]);
  return programs;
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  if (!success) throw new Error(`Cannot run ${command}: ${new TextDecoder().decode(stderr)}`);
}
