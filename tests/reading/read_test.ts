import assert from "node:assert/strict";
import { StoreUnavailableError } from "../../lib/errors.ts";
import { asSeq } from "../../lib/log/positions.ts";
import { publish } from "../../lib/publish.ts";
import { watch } from "../../lib/watch.ts";
import { Fleet, survivingState, texts, urlOf } from "../fixture.ts";
import { failing } from "../memory_store.ts";

const STREAM = "web-1_abcdefgh";
const DAY = 24 * 60 * 60 * 1000;

Deno.test("a poll with nothing new is one request, however much is in the bucket", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await publish(web1, texts("a", 20_000).map((content) => ({ url: urlOf(content), content })));
  await fleet.publish(web1, ...texts("b", 20));
  await using received = fleet.watch(fleet.server("web-2"));
  assert.deepEqual(await fleet.time.run(received.watcher.poll()), {
    applied: 20_020,
    restored: 0,
    failed: 0,
    gaps: 0,
    unreadable: [],
  });
  const { put, get, list } = fleet.store.requests;
  assert.deepEqual(await fleet.time.run(received.watcher.poll()), {
    applied: 0,
    restored: 0,
    failed: 0,
    gaps: 0,
    unreadable: [],
  });
  assert.deepEqual(fleet.store.requests, { ...fleet.store.requests, put, get, list: list + 1 });
});

Deno.test("a poll with something new is one LIST and one GET a new commit", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await using received = fleet.watch(web2);
  await fleet.publish(web1, "a");
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "b", "c");
  const { get, list } = fleet.store.requests;
  await fleet.time.run(received.watcher.poll());
  assert.equal(fleet.store.requests.get, get + 2);
  assert.equal(fleet.store.requests.list, list + 1);
  assert.deepEqual(received.contents, ["a", "b", "c"]);
});

Deno.test("updates arrive in the order of their stream, sealed or not", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await using early = fleet.watch(fleet.server("web-2"));
  for (let round = 0; round < 10; round++) {
    await fleet.publish(web1, ...texts("a", 7, round * 7 + 1));
    await early.watcher.poll();
  }
  await using late = fleet.watch(fleet.server("web-3"));
  await late.watcher.poll();
  assert.deepEqual(early.contents, texts("a", 70));
  assert.deepEqual(late.contents, texts("a", 70));
});

Deno.test("every server receives what all others publish, and not its own", async () => {
  await using fleet = new Fleet();
  const servers = ["web-1", "web-2", "web-3"].map((name) => fleet.server(name));
  for (const server of servers) await fleet.publish(server, ...texts(`${server.server}-`, 5));
  for (const server of servers) {
    await using received = fleet.watch(server);
    await fleet.time.run(received.watcher.poll());
    const others = servers.filter((other) => other !== server);
    const expected = others.flatMap((other) => texts(`${other.server}-`, 5));
    assert.deepEqual(received.contents.toSorted(), expected.toSorted());
  }
});

Deno.test("includeOwn applies what this server published, too", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1", { includeOwn: true });
  await fleet.publish(web1, "a", "b");
  await using received = fleet.watch(web1);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a", "b"]);
});

Deno.test("a new state enters a stream whose beginning has expired where it begins now", async () => {
  await using fleet = new Fleet();
  await fleet.forge({ kind: "segments", stream: STREAM, first: 11, last: 20 }, (seq) => `s${seq}`);
  await fleet.forge({ kind: "tail", stream: STREAM, first: 21, last: 22 }, (seq) => `s${seq}`);
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, texts("s", 12, 11));
  assert.deepEqual(received.gaps, []);
});

Deno.test("a new state enters a stream behind its last hole", async () => {
  await using fleet = new Fleet();
  await fleet.forge({ kind: "segments", stream: STREAM, first: 5, last: 9 }, (seq) => `s${seq}`);
  await fleet.forge({ kind: "tail", stream: STREAM, first: 12, last: 13 }, (seq) => `s${seq}`);
  await fleet.forge({ kind: "tail", stream: STREAM, first: 14, last: 15 }, (seq) => `s${seq}`);
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, texts("s", 4, 12));
});

Deno.test("a new state passes nothing over that a late listing does not show", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), ...texts("a", 30));
  for (const key of fleet.keys("segments/")) fleet.store.unlisted.add(key);
  fleet.store.after("list", (prefix) => {
    if (prefix.startsWith("segments/")) fleet.store.unlisted.clear();
  });
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, texts("a", 30));
});

Deno.test("a cursor that is set back while its stream is read stays there, and is read from", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), ...texts("a", 5));
  const web2 = fleet.server("web-2");
  const { cursors } = web2.parts!.state;
  const received: unknown[] = [];
  await using watcher = watch(web2, ({ stream, content }) => {
    received.push(content);
    if (received.length === 3) cursors.setBack(stream, asSeq(1));
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(received, ["a1", "a2", "a3", "a2", "a3", "a4", "a5"]);
});

Deno.test("with from: now a new state enters the streams at their end", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a", "b");
  await using received = fleet.watch(fleet.server("web-2", { from: "now" }));
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "c");
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["c"]);
});

Deno.test("a key alone moves no cursor, not even that of a new state", async () => {
  for (const from of ["now", "earliest"] as const) {
    await using fleet = new Fleet();
    const web1 = fleet.server("web-1");
    await using received = fleet.watch(fleet.server("web-2", { from }));
    await fleet.publish(web1, "a");
    const fake = `tail/${web1.stream}/9007199254740991.1.zzzzzzzz`;
    await fleet.store.put(fake, new TextEncoder().encode("nonsense"));
    await fleet.time.run(received.watcher.poll());
    await fleet.publish(web1, "b");
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, from === "now" ? ["b"] : ["a", "b"]);
    assert.deepEqual(received.gaps, []);
  }
});

Deno.test("a stream discovered later starts at 0: what is missing of it is a gap", async () => {
  await using fleet = new Fleet();
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  await fleet.forge({ kind: "tail", stream: STREAM, first: 4, last: 5 }, (seq) => `s${seq}`);
  const begun = fleet.time.clock.now();
  const report = await fleet.time.run(received.watcher.poll());
  assert.deepEqual(report, { applied: 2, restored: 0, failed: 0, gaps: 1, unreadable: [] });
  assert.deepEqual(received.gaps, [{ stream: STREAM, first: 1, last: 3 }]);
  assert.deepEqual(received.contents, ["s4", "s5"]);
  assert.ok(fleet.time.clock.now() - begun >= 2000, "a hole is not believed at once");
});

Deno.test("a commit that arrives late, but within two seconds, is no gap", async () => {
  await using fleet = new Fleet();
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  await fleet.forge({ kind: "tail", stream: STREAM, first: 2, last: 2 }, () => "second");
  fleet.time.clock.setTimer(1500, () => {
    fleet.forge({ kind: "tail", stream: STREAM, first: 1, last: 1 }, () => "first");
  });
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  assert.deepEqual(received.contents, ["first", "second"]);
});

Deno.test("an object that is sealed between LIST and GET is read from its segment", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 8));
  fleet.store.before("get", async () => {
    await publish(web1, { url: urlOf("a9"), content: "a9" });
    await web1.close();
  }, { times: 1 });
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.ok(fleet.keys("segments/").length > 0);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, texts("a", 9));
});

Deno.test("a corrupt object holds up its own stream only, and is tried again", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "a1");
  await fleet.publish(web2, "b1");
  const [key] = fleet.keys("tail/web-1");
  const { body, lastModified } = fleet.store.objects.get(key)!;
  fleet.store.objects.set(key, { body: body.subarray(0, 20), lastModified });
  await using received = fleet.watch(fleet.server("web-3"));
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "a2");
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["b1"]);
  fleet.store.objects.set(key, { body, lastModified });
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["b1", "a1", "a2"]);
  assert.deepEqual(received.gaps, []);
});

Deno.test("a corrupt object is passed over for one that overlaps it", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 5));
  const fake = `tail/${web1.stream}/0000000000000009.9.zzzzzzzz`;
  await fleet.store.put(fake, new Uint8Array(100));
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, texts("a", 5));
});

Deno.test("a corrupt object is a gap once it is older than the retention", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(fleet.server("web-2", { retention: "24h" }));
  await fleet.publish(web1, "a1", "a2");
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "a3");
  fleet.store.objects.get(fleet.keys("tail/").at(-1)!)!.body = new Uint8Array(9);
  await fleet.publish(web1, "a4");
  await fleet.time.run(received.watcher.poll());
  fleet.time.skip(DAY - 1000);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a1", "a2"]);
  fleet.time.skip(2000);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream: web1.stream, first: 3, last: 3 }]);
  assert.deepEqual(received.contents, ["a1", "a2", "a4"]);
});

Deno.test("what was seen, and is gone before it could be read, is reported lost once", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 3));
  const recover = fleet.store.before("get", failing(new StoreUnavailableError("Not now")));
  await using received = fleet.watch(fleet.server("web-2"));
  await assert.rejects(received.watcher.poll(), StoreUnavailableError);
  recover();
  fleet.store.objects.clear(); // All of it has expired.
  for (let poll = 0; poll < 2; poll++) await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream: web1.stream, first: 1, last: 3 }]);
});

Deno.test("the end of a stream that nobody listed before it was gone is a gap once its server goes on", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-1", fleet);
  const before = fleet.server("web-1", { state });
  await fleet.publish(before, "a1");
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(before, "a2", "a3");
  const { stream } = before;
  await fleet.time.run(before.close());
  fleet.store.objects.clear(); // All of it has expired.
  const after = fleet.server("web-1", { state });
  await fleet.publish(after, "a4");
  assert.notEqual(after.stream, stream);
  for (let poll = 0; poll < 3; poll++) await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream, first: 2, last: 3 }]);
  assert.deepEqual(received.contents, ["a1", "a4"]);
  // One that never knew the old stream has missed nothing of it.
  await using late = fleet.watch(fleet.server("web-3"));
  for (let poll = 0; poll < 3; poll++) await fleet.time.run(late.watcher.poll());
  assert.deepEqual([late.gaps, late.contents], [[], ["a4"]]);
});

Deno.test("foreign objects are ignored", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a");
  for (
    const key of ["tail/README", "tail/x/y", `tail/${web1.stream}/9999999999999999.1.zzzzzzzz`]
  ) {
    await fleet.store.put(key, new Uint8Array(5));
  }
  await using received = fleet.watch(fleet.server("web-2"));
  assert.deepEqual(await fleet.time.run(received.watcher.poll()), {
    applied: 1,
    restored: 0,
    failed: 0,
    gaps: 0,
    unreadable: [],
  });
});

Deno.test("poll() says when the store cannot be reached, and the next one goes on", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 3));
  await using received = fleet.watch(fleet.server("web-2"));
  let requests = 0;
  fleet.store.before("get", () => {
    if (++requests === 2) throw new StoreUnavailableError("Connection reset");
  });
  await assert.rejects(received.watcher.poll(), StoreUnavailableError);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, texts("a", 3));
});

Deno.test("a server that was away reads on where it stopped", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), state = survivingState("web-2", fleet);
  const before = fleet.server("web-2", { state });
  const first = fleet.watch(before);
  await fleet.publish(web1, ...texts("a", 30));
  await fleet.time.run(first.watcher.poll());
  await first.watcher.close();
  await before.close();
  await fleet.publish(web1, ...texts("a", 40, 31));
  await using second = fleet.watch(fleet.server("web-2", { state }));
  await fleet.time.run(second.watcher.poll());
  assert.deepEqual(first.contents, texts("a", 30));
  assert.deepEqual(second.contents, texts("a", 40, 31));
});

Deno.test("watch() polls by itself, and the next poll comes soon after the configured time", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const arrived = Promise.withResolvers<number>();
  await using watcher = watch(
    fleet.server("web-2", { poll: "10s", retention: false }),
    () => arrived.resolve(fleet.time.clock.now()),
  );
  await watcher.ready;
  await fleet.time.pass(100);
  await fleet.publish(web1, "a");
  const published = fleet.time.clock.now();
  const delay = await fleet.time.run(arrived.promise) - published;
  assert.ok(delay > 8000 && delay <= 11_000, `${delay} ms`);
});

Deno.test("watch() cleans up what is older than the retention", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), ...texts("a", 30));
  await fleet.time.pass(30_000); // What sealing leaves is deleted.
  fleet.time.skip(25 * 60 * 60 * 1000);
  const deleted = Promise.withResolvers<void>();
  fleet.store.before("delete", () => deleted.resolve());
  await using watcher = watch(fleet.server("web-2", { retention: "24h" }), () => {});
  await watcher.ready;
  await fleet.time.run(deleted.promise);
  const left = [...fleet.keys("tail/"), ...fleet.keys("segments/")];
  assert.equal(left.length, 1, "the newest commit stays twice as long");
  assert.equal(fleet.keys("newest/").length, 29, "the others are kept for good");
});

Deno.test("a changed delay between polls holds at once", async () => {
  await using fleet = new Fleet();
  const publisher = fleet.server("web-1"), reader = fleet.server("web-2", { poll: "1h" });
  const seen: string[] = [];
  await using watcher = watch(reader, ({ content }) => void seen.push(String(content)));
  await fleet.time.run(watcher.ready);
  await fleet.time.pass(1000);
  await fleet.publish(publisher, "a");
  await fleet.time.pass(20 * 60_000);
  assert.deepEqual(seen, []);
  reader.reconfigure({ poll: { min: 1000, max: 1000 } });
  await fleet.time.pass(500);
  assert.deepEqual(seen, ["a"]);
  await fleet.publish(publisher, "b");
  await fleet.time.pass(1100);
  assert.deepEqual(seen, ["a", "b"]);
});
