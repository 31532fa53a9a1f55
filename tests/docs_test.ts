import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";
import { checkConfig } from "../lib/config/check.ts";
import { keysAt } from "../lib/config/schema.ts";
import { filesBelow } from "./files_below.ts";
import { packageImports, ROOT } from "./library/package_imports.ts";
import { runDeno } from "./run_deno.ts";

interface Block {
  readonly place: string;
  /** Without the indentation that lists give it. */
  readonly text: string;
}

const pages = new Map(
  [...filesBelow(ROOT, ".md")].map((path) => [path, Deno.readTextFileSync(path)]),
);

function blocksIn(...languages: string[]): Block[] {
  return [...pages].flatMap(([path, page]) =>
    [...page.matchAll(/^( *)```(\w+)\n(.*?)^\1```$/gms)]
      .filter(([, , language]) => languages.includes(language))
      .map(({ 1: indent, 3: text, index }) => ({
        place: `${relative(ROOT, path)}:${page.slice(0, index).split("\n").length}`,
        text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      }))
  );
}

/** The anchors of a page, as GitHub makes them of headings. */
function anchorsOf(page: string): Set<string> {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, text]) => text);
  return new Set(
    headings.map((text) =>
      text.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    ),
  );
}

Deno.test("every relative link of the documentation leads somewhere", () => {
  const broken: string[] = [];
  for (const [path, page] of pages) {
    const prose = page.replace(/^```.*?^```$/gms, "").replace(/`[^`\n]*`/g, "");
    for (const [, target] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file, anchor] = target.split("#");
      const linked = file === "" ? path : join(dirname(path), file);
      const exists = existsSync(linked);
      const leads = exists && (!anchor || anchorsOf(pages.get(linked) ?? "").has(anchor));
      if (!leads) broken.push(`${relative(ROOT, path)}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

Deno.test("every file that the tables of promises name is there", () => {
  const missing = ["SECURITY.md", "lib/PROTOCOL.md"].flatMap((page) => {
    const rows = pages.get(join(ROOT, page))!.split("\n").filter((line) => line.startsWith("| "));
    return rows.flatMap((row) => [...row.matchAll(/`([\w/]+\.ts)`/g)].map(([, path]) => path))
      .filter((path) => !existsSync(join(ROOT, "tests", path)))
      .map((path) => `${page}: tests/${path}`);
  });
  assert.deepEqual(missing, []);
});

Deno.test("every shell block of the documentation is valid shell", async () => {
  for (const { place, text } of blocksIn("sh")) {
    const child = new Deno.Command("bash", { args: ["-n"], stdin: "piped", stderr: "piped" })
      .spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { success, stderr } = await child.output();
    assert.ok(success, `${place}: ${new TextDecoder().decode(stderr)}`);
  }
});

Deno.test("every JSON block of the documentation parses, and every configuration in it is valid", () => {
  const keys = new Set(keysAt([]));
  for (const { place, text } of blocksIn("json", "jsonc")) {
    const errors: ParseError[] = [];
    const value: unknown = parse(text, errors, { allowTrailingComma: true });
    const problems = errors.map(({ error, offset }) =>
      `${printParseErrorCode(error)} at ${offset}`
    );
    assert.deepEqual(problems, [], place);
    const members = Object.keys(value as object);
    if (members.every((name) => keys.has(name))) checkConfig(value, () => place);
  }
});

Deno.test("every TypeScript block of the documentation compiles, and those that are tests pass", async () => {
  const directory = await Deno.makeTempDir();
  try {
    for (const [index, { text }] of blocksIn("ts").entries()) {
      await Deno.writeTextFile(join(directory, fileNameOf(text, index)), text);
    }
    const config = JSON.stringify({ imports: packageImports() });
    await Deno.writeTextFile(join(directory, "deno.json"), config);
    await runDeno(["check", "."], directory);
    await runDeno(["test", "-A"], directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** What an example is called: its test imports the plugin by its name. */
function fileNameOf(example: string, index: number): string {
  if (example.includes("Deno.test(")) return `example_${index}_test.ts`;
  return example.includes('name: "titles"') ? "titles.ts" : `example_${index}.ts`;
}
