import assert from "node:assert/strict";
import { printable } from "../../lib/base/printable.ts";

Deno.test("printable() leaves letters of all kinds alone, and spaces", () => {
  const text = "https://example.com/ä?q=日本 שלום 🚀 {a}\\n";
  assert.equal(printable(text), text);
});

Deno.test("printable() makes a JSON string of every character that reads back unchanged", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    const text = `a${String.fromCodePoint(code)}`;
    const line = printable(JSON.stringify(text));
    assert.ok(line.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(line));
    if (line !== JSON.stringify(text)) assert.equal(JSON.parse(line), text);
  }
});
