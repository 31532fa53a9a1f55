import assert from "node:assert/strict";
import { Backoff } from "../../lib/base/backoff.ts";

const random = (fraction: number) => ({
  uuid: () => "",
  token: () => "",
  fraction: () => fraction,
});

Deno.test("delays double from the least bound to the greatest, and begin again after a success", () => {
  const backoff = new Backoff(random(1), { minMs: 100, maxMs: 500 });
  assert.deepEqual([1, 2, 3, 4, 5].map(() => backoff.fail()), [100, 200, 400, 500, 500]);
  assert.equal(backoff.failures, 5);
  backoff.succeed();
  assert.equal(backoff.failures, 0);
  assert.equal(backoff.fail(), 100);
});

Deno.test("a delay is drawn evenly below its bound", () => {
  assert.equal(new Backoff(random(0), { minMs: 100, maxMs: 500 }).fail(), 0);
  assert.equal(new Backoff(random(0.5), { minMs: 100, maxMs: 500 }).fail(), 50);
});

Deno.test("after a thousand failures the bound is still the greatest", () => {
  const backoff = new Backoff(random(1), { minMs: 1, maxMs: 60_000 });
  for (let i = 0; i < 1000; i++) backoff.fail();
  assert.equal(backoff.fail(), 60_000);
});
