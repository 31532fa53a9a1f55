import assert from "node:assert/strict";
import { join, relative } from "node:path";
import * as consumerErrors from "../lib/consumers/errors.ts";
import * as errors from "../mod.ts";
import { filesBelow } from "./files_below.ts";

const ROOT = join(import.meta.dirname!, "..");

const page = await Deno.readTextFile(join(ROOT, "docs", "troubleshooting.md"));

/** Files whose repeated messages come from elsewhere: they are those of errors, for example. */
const ELSEWHERE = [
  "lib/files/watching/scan.ts",
  "lib/wake/receive/signed_route.ts",
];

/** The sources of lib by path, with texts that go over several lines joined. */
function sources(): Map<string, string> {
  return new Map(
    Array.from(filesBelow(join(ROOT, "lib"), ".ts"), (path) => {
      const text = Deno.readTextFileSync(path);
      return [relative(ROOT, path), text.replaceAll(/["`] \+\s+["`]/g, "")];
    }),
  );
}

Deno.test("every error has an entry, and every entry an error", () => {
  const names = [...Object.keys(errors), ...Object.keys(consumerErrors)];
  const entries = [...page.matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name);
  assert.deepEqual(entries.sort(), names.filter((name) => name.endsWith("Error")).sort());
});

Deno.test("every message that is repeated has an entry, and every entry a message", () => {
  const texts = sources();
  const rows = page.slice(page.indexOf("## Messages that are repeated"));
  const messages = [...rows.matchAll(/^\| `([^`]+)` \|/gm)].map(([, message]) => message);
  const repeating = [...texts].filter(([, text]) => /\.problem\(\S/.test(text));
  for (const message of messages) {
    assert.ok([...texts].some(([, text]) => text.includes(message)), message);
  }
  const untold = repeating.filter(([, text]) =>
    !messages.some((message) => text.includes(message))
  );
  assert.deepEqual(untold.map(([path]) => path).sort(), ELSEWHERE);
});
