import assert from "node:assert/strict";
import { join } from "node:path";
import { packageImports } from "./package_imports.ts";

/** All that TypeScript can check, as in https://github.com/tsconfig/bases, `strictest`. */
const STRICTEST = {
  strict: true,
  allowUnreachableCode: false,
  allowUnusedLabels: false,
  exactOptionalPropertyTypes: true,
  noFallthroughCasesInSwitch: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noPropertyAccessFromIndexSignature: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
};

/** Only the strictest options refuse this. */
const MUST_FAIL = `
  declare const text: string | undefined;
  export const exact: { a?: string } = { a: text };
`;

Deno.test("a program compiles that uses the package with the strictest options", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const source = await Deno.readTextFile(join(import.meta.dirname!, "consumer.ts"));
    await Deno.writeTextFile(join(directory, "consumer.ts"), source);
    await Deno.writeTextFile(join(directory, "must_fail.ts"), MUST_FAIL);
    await Deno.writeTextFile(
      join(directory, "deno.json"),
      JSON.stringify({ imports: packageImports(), compilerOptions: STRICTEST }),
    );
    const problems = await check(directory);
    assert.deepEqual(problems.filter(({ file }) => file === "must_fail.ts").length, 1);
    assert.deepEqual(problems.filter(({ file }) => file === "consumer.ts"), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/**
 * Problems by file. Those of the package's own files do not count: they are not checked when they come
 * from a registry.
 */
async function check(directory: string): Promise<{ file: string; text: string }[]> {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "consumer.ts", "must_fail.ts"],
    cwd: directory,
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr);
  const problems = text.split("\n\n").flatMap((text) => {
    const place = /at file:\/\/(\S+?):\d+:\d+/.exec(text)?.[1];
    const inside = place?.startsWith(`${directory}/`);
    return place && inside ? [{ file: place.slice(directory.length + 1), text }] : [];
  });
  if (problems.length === 0) throw new Error(`deno check tells no problem: ${text}`);
  return problems;
}
