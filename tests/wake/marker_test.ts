import assert from "node:assert/strict";
import { cleanup } from "../../lib/cleanup.ts";
import { StoreUnavailableError } from "../../lib/errors.ts";
import type { RequestCounts } from "../../lib/stores/store.ts";
import { MAX_TRUST_MS } from "../../lib/wake/marker.ts";
import { watch } from "../../lib/watch.ts";
import { Fleet } from "../fixture.ts";

const SECOND = 1000;

/** A reader that polls every second, with what it has applied. */
async function reader(fleet: Fleet) {
  const applied: unknown[] = [];
  const connection = fleet.server("reader", {
    presence: false, // Only requests of polls are counted.
    wake: { marker: true },
    poll: "1s",
    retention: false,
  });
  const watcher = watch(connection, ({ content }) => void applied.push(content));
  await watcher.ready;
  return { applied, watcher, requests: fleet.store.requests };
}

/** Requests since `before`. */
function since(before: RequestCounts, { get, list }: Readonly<RequestCounts>) {
  return { get: get - before.get, list: list - before.list };
}

Deno.test("while nothing happens a poll is one GET, and a LIST every five minutes", async () => {
  await using fleet = new Fleet();
  const publisher = fleet.server("publisher", { wake: { marker: true } });
  await fleet.publish(publisher, "1");
  const { watcher, requests } = await reader(fleet);
  await fleet.time.pass(10 * SECOND);
  const before = { ...requests };
  await fleet.time.pass(3 * MAX_TRUST_MS);
  const { get, list } = since(before, requests);
  assert.equal(list, 3);
  assert.ok(get >= 3 * MAX_TRUST_MS / SECOND, `${get} GETs`);
  await fleet.time.run(watcher.close());
});

Deno.test("a poll lists when the marker has changed, once for each change", async () => {
  await using fleet = new Fleet();
  const publisher = fleet.server("publisher", { wake: { marker: true } });
  const { watcher, applied, requests } = await reader(fleet);
  await fleet.publish(publisher, "1");
  await fleet.time.pass(5 * SECOND);
  const before = { ...requests };
  await fleet.publish(publisher, "2");
  await fleet.time.pass(2 * SECOND);
  assert.deepEqual(applied, ["1", "2"]);
  await fleet.time.pass(60 * SECOND);
  assert.equal(since(before, requests).list, 1);
  await fleet.time.run(watcher.close());
});

Deno.test("an update is found within five minutes when the marker is lost", async () => {
  await using fleet = new Fleet();
  const publisher = fleet.server("publisher", { wake: { marker: true } });
  const { watcher, applied } = await reader(fleet);
  await fleet.publish(publisher, "1");
  await fleet.time.pass(5 * SECOND);
  await fleet.publish(fleet.server("forgetful"), "2");
  await fleet.time.pass(MAX_TRUST_MS - 10 * SECOND);
  assert.deepEqual(applied, ["1"]);
  await fleet.time.pass(12 * SECOND);
  assert.deepEqual(applied, ["1", "2"]);
  await fleet.time.run(watcher.close());
});

Deno.test("a marker that cannot be written holds up no update, and is written later", async () => {
  await using fleet = new Fleet();
  const publisher = fleet.server("publisher", { wake: { marker: true } });
  await fleet.publish(publisher, "1");
  const { watcher, applied } = await reader(fleet);
  await fleet.time.pass(5 * SECOND);
  // As stores that take one write a second at a key.
  const recover = fleet.store.before("put", (key) => {
    if (key === "marker") throw new StoreUnavailableError("SlowDown");
  });
  await fleet.publish(publisher, "2");
  await fleet.time.pass(5 * SECOND);
  assert.deepEqual(applied, ["1"]);
  recover();
  await fleet.time.pass(20 * SECOND);
  assert.deepEqual(applied, ["1", "2"]);
  await fleet.time.run(watcher.close());
});

Deno.test("a stream that cannot be read on is no reason to list at each poll", async () => {
  await using fleet = new Fleet();
  const publisher = fleet.server("publisher", { wake: { marker: true } });
  await fleet.publish(publisher, "1");
  const { watcher, applied, requests } = await reader(fleet);
  await fleet.time.pass(5 * SECOND);
  const part = { kind: "tail", stream: "garbage_aaaaaaaa", first: 1, last: 1 } as const;
  const key = await fleet.forge(part, () => "later");
  const object = fleet.store.objects.get(key)!;
  const { body } = object;
  object.body = body.subarray(0, 10);
  await fleet.publish(publisher, "2");
  await fleet.time.pass(5 * SECOND);
  const before = { ...requests };
  await fleet.time.pass(MAX_TRUST_MS);
  assert.ok(since(before, requests).list <= 2);
  object.body = body;
  await fleet.time.pass(MAX_TRUST_MS);
  assert.deepEqual(applied, ["1", "2", "later"]);
  await fleet.time.run(watcher.close());
});

Deno.test("cleanup() leaves the marker, which is no foreign object", async () => {
  await using fleet = new Fleet();
  const publisher = fleet.server("publisher", { wake: { marker: true } });
  await fleet.publish(publisher, "1");
  fleet.time.skip(7 * 24 * 3600 * SECOND);
  const { deleted, foreign } = await cleanup(publisher, { maxAge: "24h" });
  assert.deepEqual({ deleted, foreign }, { deleted: 1, foreign: 0 });
  assert.deepEqual(fleet.keys("tail/"), []);
  assert.deepEqual(fleet.keys("marker"), ["marker"]);
});
