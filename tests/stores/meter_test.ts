import assert from "node:assert/strict";
import { clockOffset } from "../../lib/stores/meter.ts";

Deno.test("clockOffset() is 0 as long as the clocks may agree", () => {
  const reading = { stamp: 5_000, resolution: 1_000 };
  assert.equal(clockOffset({ ...reading, received: 5_900, took: 500 }), 0);
  assert.equal(clockOffset({ ...reading, received: 5_000, took: 1000 }), 0);
  assert.equal(clockOffset({ ...reading, received: 6_100, took: 100 }), 0);
});

Deno.test("clockOffset() is the least that explains what the store's clock said", () => {
  const reading = { stamp: 100_000, resolution: 1_000 };
  assert.equal(clockOffset({ ...reading, received: 40_200, took: 200 }), 59_800);
  assert.equal(clockOffset({ ...reading, received: 140_200, took: 200 }), -39_000);
});
