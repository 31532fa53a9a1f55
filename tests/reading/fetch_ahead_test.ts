import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Semaphore } from "../../lib/base/semaphore.ts";
import type { PackedObject } from "../../lib/log/bucket_log.ts";
import { DeliveredCommits } from "../../lib/reading/delivered_commits.ts";
import { fetchAhead } from "../../lib/reading/fetch_ahead.ts";
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

Deno.test("an object that was read is let go, however many follow", async () => {
  await using fleet = new Fleet();
  const server = fleet.server("web-1"), { log } = server.parts!, OBJECTS = 7;
  for (const text of texts("", OBJECTS)) await fleet.publish(server, text);
  const [chain] = (await log.list()).values(), { signal } = new AbortController();
  const parts = { log, requests: new Semaphore(1).high, delivered: new DeliveredCommits(), signal };
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const read: WeakRef<PackedObject>[] = [];
  for await (const { fetched } of fetchAhead({ ...parts, ahead: () => 2 }, chain)) {
    read.push(new WeakRef((await fetched)!));
    await setImmediate(); // A reference holds its object until then.
    collectGarbage();
  }
  assert.equal(read.length, OBJECTS);
  const kept = read.filter((object) => object.deref() !== undefined);
  assert.ok(kept.length <= 1, `${kept.length} of ${OBJECTS} objects are kept`);
});
