import assert from "node:assert/strict";
import { join } from "node:path";
import { MissingObjectError } from "../../../lib/errors.ts";
import { ROOT } from "../../library/package_imports.ts";
import { ago, named, seen, statusOf } from "./reports.ts";

const page = Deno.readTextFileSync(join(ROOT, "docs", "status.md"));

/** What stands in the first column of the tables of a part of the page. */
function documented(from: string, to: string): Set<string> {
  const part = page.slice(page.indexOf(from), to ? page.indexOf(to) : undefined);
  const cells = [...part.matchAll(/^\| ((?:`[\w-]+`(?:, )?)+) \|/gm)].map(([, cell]) => cell);
  return new Set(cells.flatMap((cell) => cell.replaceAll("`", "").split(", ")));
}

/** The members of objects, and of those in them, but for what is counted by plugin. */
function membersOf(value: unknown, name = ""): string[] {
  if (value === null || typeof value !== "object" || name === "deadLetters") return [];
  if (Array.isArray(value)) return value.flatMap((item) => membersOf(item));
  return Object.entries(value).flatMap(([name, value]) => [name, ...membersOf(value, name)]);
}

Deno.test("every member of the JSON is documented", () => {
  const status = statusOf([
    seen(named("web-1"), { error: new MissingObjectError("a") }),
    seen(named("web-2"), {
      streams: [{ stream: "web-1_aaaaaaaa", applied: 4, end: 9, behindSeconds: 900, held: "a" }],
      deadLetters: { log: 1 },
      lastError: { message: "a", time: ago(4) },
      advertise: { origin: "http://a", time: ago(10), signature: "v1,x" },
      turns: { feeds: 9, owned: 3, overdue: 2, slowDomains: ["a"], suffixes: "1" },
    }),
  ]);
  const json = page.slice(page.indexOf("## JSON"));
  const missing = new Set(membersOf(status).filter((name) => !json.includes(`\`${name}\``)));
  assert.deepEqual([...missing], []);
});

Deno.test("every kind of problem is documented, and no other", () => {
  const types = Deno.readTextFileSync(join(ROOT, "lib", "fleet", "status", "fleet_status.ts"));
  const [, union] = /export type ProblemKind =(.*)$/s.exec(types)!;
  const kinds = [...union.matchAll(/"([\w-]+)"/g)].map(([, kind]) => kind);
  assert.ok(kinds.length > 20);
  assert.deepEqual([...documented("## Problems", "## JSON")].sort(), kinds.sort());
});
