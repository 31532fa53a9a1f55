import assert from "node:assert/strict";
import { COMMANDS, moduleOf } from "../../lib/cli/commands.ts";
import { ROOT } from "../library/package_imports.ts";

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    readonly specifier: string;
    readonly code?: { readonly specifier: string };
  }[];
}

/** The packages and files that a module loads when it starts. */
async function loadedBy(path: string): Promise<Set<string>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", path],
    cwd: ROOT,
  }).output();
  const { modules, roots } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: Module[];
    roots: string[];
  };
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set<string>();
  const visit = (specifier: string) => {
    if (loaded.has(specifier)) return;
    loaded.add(specifier);
    for (const { isDynamic, code, specifier: text } of byName.get(specifier)?.dependencies ?? []) {
      if (!isDynamic) visit(code?.specifier ?? text);
    }
  };
  roots.forEach(visit);
  return loaded;
}

Deno.test("no command loads the API before it is configured", async () => {
  for (const command of COMMANDS) {
    const loaded = [...await loadedBy(moduleOf(command).replace("./", ""))];
    assert.ok(loaded.length > 3, command.name);
    const found = loaded.filter((name) => /hono|lib\/api\/(serve_api|app)\.ts/.test(name));
    assert.deepEqual(found, [], command.name);
  }
});

Deno.test("the package itself loads the API only by its own name", async () => {
  const loaded = [...await loadedBy("mod.ts")];
  assert.deepEqual(loaded.filter((name) => /hono|lib\/api\//.test(name)), []);
  assert.ok([...await loadedBy("lib/api/serve_api.ts")].some((name) => /hono/.test(name)));
});
