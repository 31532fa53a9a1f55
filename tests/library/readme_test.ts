import assert from "node:assert/strict";
import { join } from "node:path";
import { packageImports, ROOT } from "./package_imports.ts";

const READMES = ["README.md", "plugins/README.md"];

/** The blocks of TypeScript in a file of Markdown, without the indentation that lists give them. */
function examplesIn(markdown: string): string[] {
  return [...markdown.matchAll(/^( *)```ts\n(.*?)^\1```$/gms)].map(([, indent, code]) =>
    code.replaceAll(new RegExp(`^${indent}`, "gm"), "")
  );
}

/** What an example is called: the test imports the plugin by its name. */
function fileName(example: string, index: number): string {
  if (example.includes('name: "titles"')) return "titles.ts";
  return example.includes("Deno.test(") ? "titles_test.ts" : `example_${index}.ts`;
}

async function deno(args: string[], cwd: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assert.ok(success, text.decode(stdout) + text.decode(stderr));
}

Deno.test("the examples in the READMEs compile, and the one that is a test passes", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const readmes = await Promise.all(READMES.map((path) => Deno.readTextFile(join(ROOT, path))));
    const examples = readmes.flatMap(examplesIn);
    assert.ok(examples.length >= 7, `${examples.length} examples`);
    for (const [index, example] of examples.entries()) {
      await Deno.writeTextFile(join(directory, fileName(example, index)), example);
    }
    const config = JSON.stringify({ imports: packageImports() });
    await Deno.writeTextFile(join(directory, "deno.json"), config);
    await deno(["check", "."], directory);
    await deno(["test", "-A", "titles_test.ts"], directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
