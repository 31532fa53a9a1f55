import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "../../library/package_imports.ts";
import { STORES } from "./table.ts";

Deno.test("docs/stores.md names every service that is tested, with its version", () => {
  const page = Deno.readTextFileSync(join(ROOT, "docs/stores.md"));
  const told = [...page.matchAll(/^\| `([\w-]+)` \| [^|]*?(\d+\.\d+)[^|]*\|/gm)];
  const tested = Object.entries(STORES).map(([name, { package: { version } }]) =>
    `${name} ${/\d+\.\d+/.exec(version)}`
  );
  assert.deepEqual(told.map(([, name, version]) => `${name} ${version}`).sort(), tested.sort());
});

Deno.test("three services are quick", () => {
  assert.equal(Object.values(STORES).filter(({ isQuick }) => isQuick).length, 3);
});
