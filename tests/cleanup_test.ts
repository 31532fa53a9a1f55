import assert from "node:assert/strict";
import { cleanup } from "../lib/cleanup.ts";
import { asSeq } from "../lib/log/positions.ts";
import { publish } from "../lib/publish.ts";
import { Fleet, texts, urlOf } from "./fixture.ts";

const HOUR = 60 * 60 * 1000;
const STREAM = "web-1_abcdefgh";

Deno.test("cleanup() deletes what is older than maxAge, the newest commit of a stream at twice that", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 30));
  const before = fleet.keys().length;
  fleet.time.skip(23 * HOUR);
  assert.equal((await cleanup(web1, { maxAge: "24h" })).deleted, 0);
  fleet.time.skip(2 * HOUR);
  const report = await cleanup(web1, { maxAge: "24h" });
  assert.deepEqual([report.deleted, report.kept, report.failed], [before - 1, 1, 0]);
  assert.deepEqual(fleet.keys("tail/").map((key) => fleet.read(key)[0].seq), [30]);
  fleet.time.skip(24 * HOUR);
  assert.equal((await cleanup(web1, { maxAge: "24h" })).deleted, 1);
  assert.deepEqual([fleet.keys("tail/"), fleet.keys("newest/").length], [[], 30]);
});

Deno.test("cleanup() leaves no hole when it meets a publisher that is sealing", async () => {
  await using fleet = new Fleet();
  const web2 = fleet.server("web-2");
  for (const seq of [1, 2, 3, 4]) {
    await fleet.forge({ kind: "tail", stream: STREAM, first: seq, last: seq }, String);
  }
  fleet.time.skip(25 * HOUR);
  fleet.store.after("list", async () => {
    await fleet.forge({ kind: "segments", stream: STREAM, first: 1, last: 2 }, String);
  }, { times: 1 });
  await fleet.time.run(cleanup(web2, { maxAge: "24h" }));
  const keys = [...fleet.keys("tail/"), ...fleet.keys("segments/")];
  const left = new Set(keys.flatMap((key) => fleet.read(key)).map(({ seq }) => seq));
  assert.deepEqual(left, new Set([1, 2, 3, 4]));
});

Deno.test("cleanup() stops at the first younger object, so that no hole comes to be", async () => {
  await using fleet = new Fleet();
  const web2 = fleet.server("web-2");
  const put = (first: number, kind: "tail" | "segments" = "tail") =>
    fleet.forge({ kind, stream: STREAM, first, last: first + 9 }, String);
  const oldest = await put(1, "segments");
  fleet.time.skip(30 * HOUR);
  await put(11, "segments"); // written again, although what follows is older
  fleet.time.skip(-HOUR);
  await put(21);
  fleet.time.skip(24.5 * HOUR);
  const report = await cleanup(web2, { maxAge: "24h" });
  assert.deepEqual(report.keys, [oldest]);
});

Deno.test("cleanup() stops a stream at a failed delete, and goes on with the others", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  for (const server of [web1, web2]) await fleet.publish(server, ...texts("a", 3));
  fleet.time.skip(25 * HOUR);
  fleet.store.before("delete", (key) => {
    if (key.includes("web-1")) throw new Error("denied");
  });
  const report = await cleanup(web1, { maxAge: "24h" });
  assert.deepEqual([report.deleted, report.failed], [2, 2]);
  assert.equal(fleet.keys("tail/web-1").length, 3);
});

Deno.test("cleanup() with dryRun tells what would go, and deletes nothing", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a", "b");
  fleet.time.skip(25 * HOUR);
  const keys = fleet.keys();
  const report = await cleanup(web1, { maxAge: "24h", dryRun: true });
  assert.deepEqual(report.keys, keys.slice(0, 1));
  assert.deepEqual(fleet.keys(), keys);
});

Deno.test("cleanup() leaves foreign objects alone and counts those among commits and segments", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const foreignKeys = ["tail/README", "segments/README", "other"];
  for (const key of foreignKeys) await fleet.store.put(key, new Uint8Array(3));
  fleet.time.skip(1000 * HOUR);
  const { deleted, foreign } = await cleanup(web1, { maxAge: "24h" });
  assert.deepEqual({ deleted, foreign }, { deleted: 0, foreign: 2 });
  assert.deepEqual(fleet.keys(), foreignKeys.toSorted());
});

Deno.test("cleanup() deletes nothing that is kept for good, and tells how much that is", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a");
  const { key } = await fleet.log.newest.write({
    stream: web1.stream,
    seq: asSeq(1),
    id: crypto.randomUUID(),
    url: "https://example.com/a",
    time: new Date(fleet.time.clock.now()).toISOString(),
    content: "a",
    metadata: {},
  });
  fleet.time.skip(1000 * HOUR);
  const prefixes: string[] = [];
  fleet.store.before("list", (prefix) => void prefixes.push(prefix));
  const report = await cleanup(web1, { maxAge: "24h" });
  assert.deepEqual([report.deleted, report.kept, report.foreign], [1, 0, 0]);
  assert.deepEqual(prefixes, ["tail/", "segments/", "newest/", "present/", "lists/", "checks/"]);
  assert.ok(fleet.keys().includes(key) || report.swept === 1);
  assert.equal(report.newest?.objects, 1);
});

Deno.test("cleanup() refuses an age that late writes could reach", async () => {
  await using fleet = new Fleet();
  await assert.rejects(cleanup(fleet.server("web-1"), { maxAge: "9m" }), /at least 10 minutes/);
});

Deno.test("a reader that was away longer than the retention learns exactly what it missed", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.publish(web1, ...texts("a", 5));
  await received.watcher.poll();
  await fleet.publish(web1, ...texts("a", 20, 6));
  fleet.time.skip(25 * HOUR);
  await publish(web1, { url: urlOf("new"), content: "new" });
  await cleanup(web1, { maxAge: "24h" });
  await fleet.time.run(received.watcher.poll());
  const [gap] = received.gaps;
  assert.equal(received.gaps.length, 1);
  assert.deepEqual([gap.stream, gap.first], [web1.stream, 6]);
  const seqs = received.updates.map(({ seq }) => seq);
  assert.deepEqual(
    seqs.slice(5),
    Array.from({ length: 26 - gap.last }, (_, i) => gap.last + 1 + i),
  );
  assert.equal(received.contents.at(-1), "new");
});
