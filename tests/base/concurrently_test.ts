import assert from "node:assert/strict";
import { forEachConcurrently } from "../../lib/base/concurrently.ts";

Deno.test("all items are worked on, at most so many at once, and taken as they are needed", async () => {
  let running = 0, most = 0, taken = 0;
  const done: number[] = [];
  const items = function* () {
    for (let i = 0; i < 20; i++) {
      assert.ok(++taken <= done.length + 3, "none is taken ahead");
      yield i;
    }
  };
  await forEachConcurrently(items(), { limit: 3 }, async (item) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < 10 + item % 5; turn++) await Promise.resolve();
    running--;
    done.push(item);
  });
  assert.deepEqual(done.toSorted((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
  assert.equal(most, 3);
});

Deno.test("after a failure no more items are taken, and it rejects when what runs has ended", async () => {
  const ended: number[] = [];
  const work = async (item: number) => {
    if (item === 2) throw new Error("two");
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    ended.push(item);
  };
  await assert.rejects(forEachConcurrently([1, 2, 3, 4, 5, 6], { limit: 2 }, work), /two/);
  assert.deepEqual(ended, [1]);
});

Deno.test("where the items end with a failure, what runs is waited for", async () => {
  let ended = false;
  const items = async function* () {
    yield 1;
    await Promise.resolve();
    throw new Error("no more");
  };
  const work = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    ended = true;
  };
  await assert.rejects(forEachConcurrently(items(), { limit: 2 }, work), /no more/);
  assert.ok(ended);
});

Deno.test("a failure, or the caller, aborts the calls that run", async () => {
  const untilAborted = (signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  const work = (item: number, signal: AbortSignal) =>
    item === 2 ? Promise.reject(new Error("two")) : untilAborted(signal);
  await assert.rejects(forEachConcurrently([1, 2], { limit: 2 }, work), /two/);
  const caller = new AbortController();
  const { signal } = caller;
  let isStarted = false;
  const ended = forEachConcurrently([1], { limit: 2, signal }, (item, either) => {
    isStarted = true;
    return work(item, either);
  });
  while (!isStarted) await Promise.resolve();
  caller.abort();
  await ended;
});
