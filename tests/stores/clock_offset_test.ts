import assert from "node:assert/strict";
import { clockOffset } from "../../lib/stores/clock_offset.ts";

Deno.test("clockOffset() is 0 as long as the clocks may agree", () => {
  const reading = { stamp: 5_000, resolution: 1_000 };
  assert.equal(clockOffset({ ...reading, sent: 5_400, received: 5_900 }), 0);
  assert.equal(clockOffset({ ...reading, sent: 4_000, received: 5_000 }), 0);
  assert.equal(clockOffset({ ...reading, sent: 6_000, received: 6_100 }), 0);
});

Deno.test("clockOffset() is the least that explains what the store's clock said", () => {
  const reading = { stamp: 100_000, resolution: 1_000 };
  assert.equal(clockOffset({ ...reading, sent: 40_000, received: 40_200 }), 59_800);
  assert.equal(clockOffset({ ...reading, sent: 140_000, received: 140_200 }), -39_000);
});
