import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { ROOT } from "./library/package_imports.ts";

/** From the lowest to the highest: what stands further down is imported, never the other way round. */
const FLOORS = [
  [
    "lib/base",
    "lib/errors.ts",
    "lib/feed_url.ts",
    "lib/update.ts",
    "lib/plugin.ts",
    "lib/known_files.ts",
  ],
  ["lib/plugins"],
  ["lib/config"],
  ["lib/stores"],
  ["lib/log"],
  ["lib/state"],
  ["lib/publishing", "lib/wake", "lib/retention", "lib/fleet"],
  ["lib/connection.ts"],
  ["lib/reading"],
  ["lib/files", "lib/consumers"],
  ["lib/check"],
  ["lib"],
  ["lib/api"],
  ["lib/cli", "mod.ts", "cli.ts", "plugins"],
];

interface Import {
  readonly from: string;
  readonly to: string;
  /** `import()`: loaded when it is needed. */
  readonly isLazy: boolean;
}

function* sourcesBelow(directory: string): Iterable<string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(ROOT, directory))) {
    const path = join(directory, name);
    if (isDirectory && path !== "lib/std") yield* sourcesBelow(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

function importsOf(from: string): Import[] {
  const source = Deno.readTextFileSync(join(ROOT, from));
  const found = source.matchAll(/^(?!\s*\*).*?(?:from |import )(?<lazy>\()?"(?<to>\.[^"]+\.ts)"/gm);
  const named = [...found, ...source.matchAll(/import(?<lazy>\()"(?<to>\.[^"]+\.ts)"/g)];
  return named.map(({ groups }) => ({
    from,
    to: relative(ROOT, join(ROOT, dirname(from), groups!.to)),
    isLazy: groups!.lazy !== undefined,
  }));
}

const files = ["mod.ts", "cli.ts", ...sourcesBelow("lib"), ...sourcesBelow("plugins")];
const imports = files.flatMap(importsOf);

function floorOf(file: string): number {
  const places = FLOORS.flatMap((floor, index) => floor.map((place) => ({ place, index })))
    .filter(({ place }) => file === place || file.startsWith(`${place}/`));
  return places.reduce((best, next) => next.place.length > best.place.length ? next : best).index;
}

Deno.test("no file imports from a higher floor", () => {
  const upward = imports.filter(({ from, to, isLazy }) => !isLazy && floorOf(from) < floorOf(to));
  assert.deepEqual(upward.map(({ from, to }) => `${from} imports ${to}`), []);
});

Deno.test("no imports go round in a circle", () => {
  const importedBy = Map.groupBy(imports, ({ from }) => from);
  const isDone = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" > "));
    if (isDone.has(file) || path.includes(file)) return;
    for (const { to } of importedBy.get(file) ?? []) visit(to, [...path, file]);
    isDone.add(file);
  };
  for (const file of files) visit(file, []);
  assert.deepEqual(circles, []);
});

Deno.test("every import is of a file that is there", () => {
  const known = new Set(files);
  assert.deepEqual(imports.filter(({ to }) => !known.has(to)), []);
  assert.ok(imports.length > files.length, "imports are found");
});
