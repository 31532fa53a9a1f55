import assert from "node:assert/strict";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { cleanup } from "../lib/cleanup.ts";
import { captureLog, Keys } from "./encryption/keys.ts";
import { Fleet } from "./fixture.ts";

const HOUR = 60 * 60 * 1000;
const RETENTION = "1h";

/** Has the object at `key` need a newer version; returns what makes it readable again. */
function makeNewer(fleet: Fleet, key: string): () => void {
  const object = fleet.store.objects.get(key)!;
  const text = zstdDecompressSync(object.body).toString();
  const body = zstdCompressSync(text.replace('"feedsync":1', '"feedsync":2'));
  fleet.store.objects.set(key, { ...object, body });
  return () => fleet.store.objects.set(key, object);
}

/** A reader that has read `a1`, and waits for an upgrade to read `a2`. */
async function waitingReader(fleet: Fleet) {
  const [writer, server] = [fleet.server("web-1"), fleet.server("web-2", { retention: RETENTION })];
  await fleet.publish(writer, "a1", "a2", "a3");
  const keys = fleet.keys("tail/");
  const mend = makeNewer(fleet, keys[1]);
  const received = fleet.watch(server);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a1"]);
  return { server, received, keys, mend, stream: writer.stream };
}

Deno.test("what a server waits for outlives the retention in its cleanup, up to ten times that", async () => {
  await using fleet = new Fleet();
  const { server, received, keys, mend } = await waitingReader(fleet);
  fleet.time.skip(9 * HOUR);
  const { deleted, deletedUnread, kept, locked } = await cleanup(server, {});
  assert.deepEqual([deleted, deletedUnread], [1, 0], "what was read is deleted as ever");
  assert.deepEqual([kept, locked], [2, 2]);
  assert.deepEqual(fleet.keys("tail/"), keys.slice(1));
  mend();
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual([received.contents, received.gaps], [["a1", "a2", "a3"], []]);
  assert.equal((await cleanup(server, {})).deleted, 2, "what was read at last is like everything");
});

Deno.test("at ten times the retention it is deleted as an error, and becomes a gap that says why", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  const { server, received, keys, stream } = await waitingReader(fleet);
  fleet.time.skip(10 * HOUR + 60_000);
  const would = await cleanup(server, { dryRun: true });
  assert.deepEqual([would.deleted, would.deletedUnread, would.carried], [3, 1, 2]);
  const errors = () => log.lines.filter((line) => line.startsWith("error"));
  const before = errors().length;
  const report = await cleanup(server, {});
  assert.deepEqual([report.deleted, report.deletedUnread, report.kept], [3, 1, 0]);
  const [told] = errors().slice(before);
  assert.ok(told.includes(keys[1]), told);
  assert.match(told, /Deleted 1 objects .* keeping them 10 times .* needs a reader of format 2/);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream, first: 2, last: 3 }]);
  assert.match(
    errors().at(-1)!,
    /Updates of \S+ are lost, 2 to 3: .* could not read them before: .* format 2/,
  );
});

Deno.test("what others delete while this server waits for it is a gap, which says why it was not read", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  const { received, mend, stream } = await waitingReader(fleet);
  fleet.time.skip(3 * HOUR);
  mend(); // The others were upgraded before.
  const other = fleet.server("web-3", { retention: RETENTION });
  assert.equal((await cleanup(other, {})).deletedUnread, 0);
  assert.deepEqual(fleet.keys("tail/"), []);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream, first: 2, last: 3 }]);
  assert.match(
    log.lines.findLast((line) => line.startsWith("error: "))!,
    /^error: Updates of \S+ are lost, 2 to 3: .* could not read them before: .*upgrade/,
  );
});

Deno.test("a GET that does not find what waits for an upgrade gives it up no sooner", async () => {
  await using fleet = new Fleet();
  const { server, received, keys, mend } = await waitingReader(fleet);
  fleet.time.skip(5 * HOUR);
  const object = fleet.store.objects.get(keys[1])!;
  fleet.store.after("list", () => void fleet.store.objects.delete(keys[1]));
  fleet.store.before("list", () => void fleet.store.objects.set(keys[1], object));
  for (let i = 0; i < 3; i++) await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  fleet.store.objects.set(keys[1], object);
  mend();
  const { deleted, failed } = await cleanup(server, {});
  assert.deepEqual([deleted, failed], [1, 0]);
});

Deno.test("what is damaged is deleted at the retention, also when it was locked before", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  const { server, received, keys } = await waitingReader(fleet);
  const object = fleet.store.objects.get(keys[1])!;
  fleet.store.objects.set(keys[1], { ...object, body: new Uint8Array(9) });
  await fleet.time.run(received.watcher.poll());
  fleet.time.skip(3 * HOUR);
  const { deleted, deletedUnread } = await cleanup(server, {});
  assert.deepEqual([deleted, deletedUnread], [3, 0]);
  assert.match(log.lines.at(-1)!, /^warn.*: Deleted 1 objects of web-1_\w+ that were damaged: /);
});

Deno.test("what lacks a key is kept by who lacks it, and by nobody once the key is there", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  await using fleet = new Fleet();
  const writer = fleet.server("web-1", { envelope: await keys.envelope() });
  const server = fleet.server("web-2", {
    retention: RETENTION,
    envelope: await others.envelope(),
  });
  await fleet.publish(writer, "a1", "a2");
  await using received = fleet.watch(server);
  await fleet.time.run(received.watcher.poll());
  fleet.time.skip(5 * HOUR);
  assert.equal((await cleanup(server, {})).deleted, 0);
  await others.replaceBy(keys);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual([received.contents, received.gaps], [["a1", "a2"], []]);
  assert.equal((await cleanup(server, {})).deleted, 2);
});
