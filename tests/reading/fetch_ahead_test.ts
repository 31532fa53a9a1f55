import assert from "node:assert/strict";
import { watch } from "../../lib/watch.ts";
import { Fleet, texts } from "../fixture.ts";

const STREAMS = 40;

Deno.test("of many streams no more is fetched ahead than of a few", async () => {
  await using fleet = new Fleet();
  for (const [index] of texts("", STREAMS).entries()) {
    await fleet.publish(fleet.server(`web-${index}`), ...texts(`${index}-`, 6));
  }
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const applied: unknown[] = [];
  const watcher = watch(fleet.server("reader"), async ({ content }) => {
    await held;
    applied.push(content);
  }, { manual: true });
  await watcher.ready;
  const { get } = fleet.store.requests;
  const poll = watcher.poll();
  await fleet.time.pass(1000);
  const fetched = fleet.store.requests.get - get;
  assert.ok(fetched <= 2 * STREAMS, `${fetched} objects of ${STREAMS} streams`);
  release();
  await fleet.time.run(poll);
  assert.equal(applied.length, 6 * STREAMS);
  await fleet.time.run(watcher.close());
});
