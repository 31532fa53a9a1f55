import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { packageImports, ROOT } from "./package_imports.ts";
import { runDeno } from "../run_deno.ts";

const PLUGINS = join(ROOT, "plugins");

/** What a project has that uses the package: nothing else of feedsync, nor what only feedsync needs. */
const ALLOWED = /^(@feedsync\/feedsync(\/plugin)?|zod|node:.+)$/;

async function* pluginFiles(): AsyncIterable<string> {
  for await (const { name } of Deno.readDir(PLUGINS)) {
    if (name.endsWith(".ts")) yield join(PLUGINS, name);
  }
}

Deno.test("built-in plugins import only what a copy of them can import", async () => {
  let count = 0;
  for await (const path of pluginFiles()) {
    const source = await Deno.readTextFile(path);
    for (const [, specifier] of source.matchAll(/\b(?:from|import\()\s*"([^"]+)"/g)) {
      assert.match(specifier, ALLOWED, path);
      count++;
    }
  }
  assert.ok(count >= 10, `${count} imports`);
});

Deno.test("copies of the built-in plugins compile and work in another project", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const program = join(import.meta.dirname!, "copied_plugins.ts");
    for await (const path of pluginFiles()) {
      await Deno.copyFile(path, join(directory, basename(path)));
    }
    await Deno.copyFile(program, join(directory, "program.ts"));
    await Deno.writeTextFile(
      join(directory, "deno.json"),
      JSON.stringify({ imports: packageImports() }),
    );
    await runDeno(["check", "."], directory);
    const [logged, outcome] = (await runDeno(["run", "-A", "program.ts"], directory)).split("\n");
    assert.match(logged, / {2}web-1 {2}https:\/\/example\.com\/feed\.xml {2}11 B$/);
    assert.deepEqual(JSON.parse(outcome), { applied: 1, failed: 0, webhook: "<rss></rss>" });
    const mirrored = join(directory, "feeds/https%3A%2F%2Fexample.com%2Ffeed.xml.feed");
    assert.equal(await Deno.readTextFile(mirrored), "<rss></rss>");
    using database = new DatabaseSync(join(directory, "feeds.db"));
    assert.equal(database.prepare("SELECT content FROM feeds").get()?.content, "<rss></rss>");
    const handed = JSON.parse(await Deno.readTextFile(join(directory, "exec.json")));
    assert.equal(handed.content, "<rss></rss>");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
