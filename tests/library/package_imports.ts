/**
 * The package as others import it.
 *
 * @module
 */
import { join } from "node:path";
import denoJson from "../../deno.json" with { type: "json" };

/** Path of this repository. */
export const ROOT = join(import.meta.dirname!, "..", "..");

/** Imports for a `deno.json` elsewhere: the package with all its entries, and what it imports itself. */
export function packageImports(): Record<string, string> {
  const imports: Record<string, string> = { ...denoJson.imports };
  for (const [name, path] of Object.entries(denoJson.exports)) {
    imports[join(denoJson.name, name)] = join(ROOT, path);
  }
  // JSR may be out of reach: the stand-ins of this repository take its place.
  imports["@std/cli/parse-args"] = join(ROOT, "lib/std/cli/parse_args.ts");
  imports["@std/fs/ensure-dir"] = join(ROOT, "lib/std/fs/ensure_dir.ts");
  return imports;
}
