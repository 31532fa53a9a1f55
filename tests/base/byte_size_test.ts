import assert from "node:assert/strict";
import { isByteSize, parseByteSize } from "../../lib/base/byte_size.ts";

Deno.test("sizes are numbers with decimal or binary units", () => {
  const sizes: [string | number, number][] = [
    ["64kB", 64_000],
    ["1.5MB", 1_500_000],
    ["1GB", 1e9],
    ["4MiB", 4 * 1024 * 1024],
    ["10B", 10],
    [7, 7],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseByteSize(text), bytes);
  for (const wrong of ["", "1", "1 MB", "1mb", "-1B", "1e3B", NaN, -1, Infinity]) {
    assert.throws(() => parseByteSize(wrong), RangeError);
    assert.equal(isByteSize(wrong), false);
  }
});
