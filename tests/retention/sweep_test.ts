import assert from "node:assert/strict";
import type { NewestUpdate } from "../../lib/log/newest/body.ts";
import { newestName } from "../../lib/log/newest/names.ts";
import { asSeq } from "../../lib/log/positions.ts";
import { Sweeper, type SweepOptions } from "../../lib/retention/sweep.ts";
import { shuffled } from "../memory_store.ts";
import { Fleet, urlOf } from "../fixture.ts";

const DAY = 24 * 60 * 60 * 1000;

/** Puts an update into `newest/` that is so many milliseconds ahead of now; returns its key. */
async function put(fleet: Fleet, content: string, { feed = "f", ahead = 0 } = {}): Promise<string> {
  const update: NewestUpdate = {
    stream: "web-1_abcdefgh",
    seq: asSeq(1),
    id: crypto.randomUUID(),
    url: urlOf(feed),
    time: new Date(fleet.time.clock.now() + ahead).toISOString(),
    content,
    metadata: {},
  };
  return (await fleet.log.newest.write(update)).key;
}

function sweeper(fleet: Fleet, options: Partial<SweepOptions> = {}): Sweeper {
  const now = fleet.time.clock.now();
  return new Sweeper(fleet.log, { now, written: new Set(), dryRun: false, ...options });
}

Deno.test("of each feed the newest stays, in whatever order a store lists", async () => {
  for (const order of [(key: string) => key, shuffled]) {
    await using fleet = new Fleet();
    fleet.store.order = order;
    const newest: string[] = [];
    for (const feed of ["a", "b", "c"]) {
      for (const ahead of [0, 1, 2]) await put(fleet, "x", { feed, ahead });
      newest.push(await put(fleet, "x", { feed, ahead: 3 }));
    }
    const hashes = await Promise.all(
      ["a", "b"].map((feed) => fleet.log.newest.hashOf(urlOf(feed))),
    );
    const one = sweeper(fleet);
    await one.sweepGroups(hashes);
    assert.equal(one.swept, 6);
    const all = sweeper(fleet);
    const left = await all.sweepAll();
    if (order !== shuffled) {
      assert.deepEqual([all.swept, left.objects], [3, 3]);
      assert.deepEqual(fleet.keys(), newest.sort());
    }
    for (const key of newest) assert.ok(fleet.keys().includes(key));
    const bytes = [...fleet.store.objects.values()].reduce((sum, { body }) => sum + body.length, 0);
    assert.equal(left.bytes, bytes);
  }
});

Deno.test("sweeping costs the pages of a listing, and a GET for each feed with more than one object", async () => {
  await using fleet = new Fleet();
  for (const feed of ["a", "b", "c"]) await put(fleet, "x", { feed });
  await put(fleet, "y", { feed: "a", ahead: 1 });
  const before = { ...fleet.store.requests };
  await sweeper(fleet).sweepAll();
  const { list, get, delete: deletes } = fleet.store.requests;
  assert.deepEqual(
    [list - before.list, get - before.get, deletes - before.delete],
    [1, 1, 1],
  );
});

Deno.test("nothing is swept unless the greatest of its group can be read", async () => {
  await using fleet = new Fleet();
  const old = await put(fleet, "old");
  const broken = await put(fleet, "new", { ahead: 1 });
  const object = fleet.store.objects.get(broken)!;
  fleet.store.objects.set(broken, { ...object, body: new Uint8Array(5) });
  await sweeper(fleet).sweepAll();
  assert.deepEqual(fleet.keys(), [old, broken].sort());
  fleet.store.objects.set(broken, object);
  fleet.store.hidden.set(broken, 1);
  await sweeper(fleet).sweepAll();
  assert.deepEqual(fleet.keys(), [old, broken].sort(), "a GET has not found it");
  await sweeper(fleet).sweepAll();
  assert.deepEqual(fleet.keys(), [broken]);
});

Deno.test("what this cleanup has just written need not be read", async () => {
  await using fleet = new Fleet();
  await put(fleet, "old");
  const written = await put(fleet, "new", { ahead: 1 });
  const { get } = fleet.store.requests;
  await sweeper(fleet, { written: new Set([written]) }).sweepAll();
  assert.deepEqual([fleet.keys(), fleet.store.requests.get], [[written], get]);
});

Deno.test("a key more than a day ahead of its object does not count, and is left alone", async () => {
  await using fleet = new Fleet();
  const future = await put(fleet, "forged", { ahead: 2 * DAY });
  const old = await put(fleet, "old");
  const { get } = fleet.store.requests;
  await sweeper(fleet).sweepAll();
  assert.deepEqual(fleet.keys(), [old, future].sort());
  assert.equal(fleet.store.requests.get, get);
  const newest = await put(fleet, "new", { ahead: 1 });
  await sweeper(fleet).sweepAll();
  assert.deepEqual(fleet.keys(), [newest, future].sort());
});

Deno.test("a forged key that is the greatest keeps its group from being swept, and no other", async () => {
  await using fleet = new Fleet();
  const keys = [await put(fleet, "old"), await put(fleet, "new", { ahead: 1 })];
  const hash = await fleet.log.newest.hashOf(urlOf("f"));
  const time = fleet.time.clock.now() + 60_000;
  const forged = newestName({ hash, time, id: crypto.randomUUID(), isRemoved: true });
  await fleet.store.put(forged.key, new TextEncoder().encode("x"));
  for (const ahead of [0, 1]) await put(fleet, "x", { feed: "g", ahead });
  const one = sweeper(fleet);
  await one.sweepAll();
  assert.equal(one.swept, 1);
  for (const key of [...keys, forged.key]) assert.ok(fleet.keys().includes(key));
});

Deno.test("with dryRun what would be swept is counted, and nothing deleted", async () => {
  await using fleet = new Fleet();
  await put(fleet, "old");
  await put(fleet, "new", { ahead: 1 });
  const one = sweeper(fleet, { dryRun: true });
  await one.sweepAll();
  assert.deepEqual([one.swept, fleet.keys().length], [1, 2]);
});
