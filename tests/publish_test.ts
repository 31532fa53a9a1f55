import assert from "node:assert/strict";
import { AccessDeniedError, InvalidUpdateError, StoreUnavailableError } from "../lib/errors.ts";
import { publish } from "../lib/publish.ts";
import type { Update, UpdateInput } from "../lib/update.ts";
import { nested, ones } from "./hostile/values.ts";
import { Fleet, survivingState, texts, urlOf } from "./fixture.ts";
import { failing } from "./memory_store.ts";

Deno.test("publish() resolves with the place of the update in its stream", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const receipts = await publish(web1, [
    { url: "https://example.com/a", content: "a" },
    { url: "https://example.com/b", removed: true },
  ]);
  assert.deepEqual(
    receipts.map((receipt) => receipt.status === "published" && [receipt.stream, receipt.seq]),
    [[web1.stream, 1], [web1.stream, 2]],
  );
  const [key] = fleet.keys();
  assert.deepEqual(fleet.read(key).map(({ url, content }) => [url, content]), [
    ["https://example.com/a", "a"],
    ["https://example.com/b", undefined],
  ]);
});

Deno.test("publish() shares one commit among updates of the same turn", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await Promise.all(
    texts("a", 50).map((content) => publish(web1, { url: urlOf(content), content })),
  );
  assert.equal(fleet.store.requests.put, 1);
});

Deno.test("publish() with ifChanged publishes only what differs from the newest content", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const update = { url: "https://example.com/a", content: { b: 1 } };
  assert.equal((await publish(web1, update, { ifChanged: true })).status, "published");
  assert.equal((await publish(web1, update, { ifChanged: true })).status, "unchanged");
  assert.equal((await publish(web1, { ...update, content: { b: 2 } })).status, "published");
  assert.equal((await publish(web1, update, { ifChanged: true })).status, "published");
});

Deno.test("publish() gives updates of one URL increasing times", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const url = "https://example.com/a";
  const receipts = await publish(web1, texts("v", 3).map((content) => ({ url, content })));
  const times = receipts.map((receipt) => receipt.status === "published" ? receipt.time : "");
  assert.deepEqual(times, times.toSorted());
  assert.equal(new Set(times).size, 3);
});

Deno.test("publish() takes what its types allow, and leaves out what is undefined", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  interface Feed {
    readonly title: string;
    readonly items: readonly { readonly link?: string | undefined }[];
  }
  const feed: Feed = { title: "x", items: [{ link: undefined }, { link: "y" }] };
  const url = new URL("https://example.com/ä"), { href } = url;
  const receipt = await publish(web1, { url, content: feed, metadata: { etag: undefined } });
  assert.equal(receipt.url, href);
  await publish(web1, { url, content: "text", removed: false, metadata: undefined });
  await publish(web1, { url, content: undefined, removed: true });
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  const items = [{}, { link: "y" }];
  assert.deepEqual(
    received.updates.map(({ url, content, metadata, removed }) => [
      url,
      content,
      metadata,
      removed,
    ]),
    [
      [href, { title: "x", items }, {}, undefined],
      [href, "text", {}, undefined],
      [href, undefined, {}, true],
    ],
  );
  const again = { url, content: { items, title: "x" } };
  await publish(web1, { url, content: { title: "x", items, more: undefined } });
  assert.equal((await publish(web1, again, { ifChanged: true })).status, "published");
  const same = { url, content: { more: undefined, ...again.content } };
  assert.equal((await publish(web1, same, { ifChanged: true })).status, "unchanged");
});

Deno.test("an update that arrived can be published elsewhere as it is", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")], url = urlOf("a");
  await publish(web1, [
    { url, content: new Uint8Array([0xff]), metadata: { status: 200 } },
    { url, removed: true },
  ]);
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  await using other = new Fleet();
  await publish(other.server("web-1"), received.updates);
  await using arrived = other.watch(other.server("web-2"));
  await arrived.watcher.poll();
  const what = ({ url, content, metadata, removed }: Update) => ({
    url,
    content,
    metadata,
    removed,
  });
  assert.deepEqual(arrived.updates.map(what), received.updates.map(what));
});

Deno.test("publish() refuses what is not an update, and accepts nothing then", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  let manyTimesItself: unknown[] = [];
  for (let i = 0; i < 400; i++) manyTimesItself = [manyTimesItself, manyTimesItself];
  const tooMany = new Array(1_000_001).fill(0), half = new Array(500_000).fill(0);
  const url = "https://example.com/";
  const cases: [unknown, RegExp][] = [
    [{ content: "x" }, /Cannot use undefined as the URL of a feed: it must be a string/],
    [
      { url: "feeds/x.xml", content: "x" },
      /Cannot use "feeds\/x.xml" .* it is not an absolute URL/,
    ],
    [{ url: "example.com:8080/feed.xml", content: "x" }, /write "https:\/\/example.com:8080\/feed/],
    [{ url: "C:\\feeds\\x.xml", content: "x" }, /it looks like the path of a file/],
    [{ url: ` ${url}`, content: "x" }, /it has white space around it/],
    [{ url: `${url}\ta`, content: "x" }, /it holds an invisible character \(U\+0009\)/],
    [{ url: "ftp://example.com/", content: "x" }, /its scheme must be http or https, not ftp/],
    [{ url }, /'content' is missing; give it, or 'removed: true' if the feed is gone/],
    [{ url, removed: false }, /'content' is missing/],
    [{ url, removed: "false" }, /'removed' must be true or false/],
    [{ url, removed: 1 }, /'removed' must be true or false/],
    [{ url, content: [1, undefined] }, /'content\[1\]' is undefined, which is not JSON/],
    [{ url, content: new Array(2) }, /'content\[0\]' is undefined, which is not JSON/],
    [{ url, content: new URL(url) }, /'content' is a URL, which is not JSON: convert it/],
    [{ url, content: { toJSON: () => 1 } }, /'content\.toJSON' is function/],
    [{ url, content: new ArrayBuffer(1) }, /'content' is a ArrayBuffer, which is not JSON$/],
    [{ url, content: "", metadata: null }, /'metadata' must be a JSON object/],
    [{ url, content: "", metadata: new Map() }, /'metadata' is a Map, which is not JSON/],
    [{ url, content: NaN }, /'content' is NaN, which is not JSON/],
    [{ url, content: { a: [1, Infinity] } }, /'content\.a\[1\]' is Infinity/],
    [{ url, content: cycle }, /nested deeper than 500 levels, or contains itself/],
    [{ url, content: { when: new Date() } }, /'content\.when' is a Date, which is not JSON/],
    [{ url, content: { f: () => 1 } }, /'content\.f' is function/],
    [{ url, content: 1n }, /'content' is bigint/],
    [{ url, content: "x", removed: true }, /'content' and 'removed' exclude each other/],
    [{ url, content: "x", metadata: [] }, /'metadata' must be a JSON object/],
    [{ url, content: "x", metadata: { a: NaN } }, /'metadata\.a' is NaN/],
    [{ url, content: "x".repeat(16 * 1024 * 1024) }, /more than the 16777216 allowed/],
    [undefined, /Cannot use undefined as the URL of a feed/],
    [{ url: `${url}\0`, content: "x" }, /it holds an invisible character \(U\+0000\)/],
    [{ url: [[[]]], content: "x" }, /Cannot use object as the URL of a feed: it must be a string/],
    [{ url: `${url}${"x".repeat(32 * 1024)}`, content: "x" }, /it has 32788 characters, at most/],
    [{ url, content: nested("[", "]", 1_000_000) }, /'content' is nested deeper than 500 levels/],
    [
      { url, content: "", metadata: nested('{"a":', "}", 501, "{}") },
      /'metadata' is nested deeper/,
    ],
    [{ url, content: nested("[", "]", 499, ones(200_000)) }, /adds more than 67108864 bytes/],
    [{ url, content: manyTimesItself }, /'content' is nested so that indenting it adds more/],
    [{ url, content: tooMany }, /'content' is made of more than 1000000 values/],
    [{ url, content: "", metadata: { tooMany } }, /'metadata' is made of more than 1000000/],
    [{ url, content: half, metadata: { half } }, /'metadata' is made of more than 1000000/],
  ];
  for (const [update, message] of cases) {
    await assert.rejects(publish(web1, update as UpdateInput), (error) => {
      assert.ok(error instanceof InvalidUpdateError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  const valid = { url, content: "x" };
  await assert.rejects(publish(web1, [valid, { url: "no" } as UpdateInput]), InvalidUpdateError);
  await publish(web1, valid);
  assert.equal(fleet.keys().length, 1);
});

Deno.test("publish() keeps the update when the store is down, and it arrives later", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const outage = new StoreUnavailableError("Cannot reach the store");
  const recover = fleet.store.before("put", failing(outage));
  await assert.rejects(fleet.publish(web1, "a"), (error) => {
    assert.ok(error instanceof StoreUnavailableError);
    assert.match(
      error.message,
      /Cannot reach the store \(1 update is queued in memory only, and lost unless/,
    );
    assert.equal(error.queued, 1);
    return true;
  });
  assert.deepEqual(fleet.keys(), []);
  recover();
  await fleet.publish(web1, "b");
  assert.deepEqual(fleet.keys().flatMap((key) => fleet.read(key).map((u) => u.content)), [
    "a",
    "b",
  ]);
});

Deno.test("close() uploads what an earlier run had to leave in the outbox", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-1", fleet);
  const first = fleet.server("web-1", { state });
  const outage = new StoreUnavailableError("Cannot reach the store");
  const recover = fleet.store.before("put", failing(outage));
  await assert.rejects(fleet.publish(first, "a"), StoreUnavailableError);
  await fleet.time.run(first.close());
  recover();
  await fleet.time.run(fleet.server("web-1", { state }).close());
  assert.deepEqual(fleet.keys().flatMap((key) => fleet.read(key).map((u) => u.content)), ["a"]);
});

Deno.test("publish() tells at a second look that access is denied, and keeps the update", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const recover = fleet.store.before("put", failing(new AccessDeniedError("Access denied")));
  const begun = fleet.time.clock.now();
  await assert.rejects(fleet.publish(web1, "a"), (error) => {
    assert.ok(error instanceof AccessDeniedError);
    assert.match(
      error.message,
      /Access denied \(1 update is queued in memory only, and lost unless/,
    );
    return true;
  });
  assert.equal(fleet.time.clock.now() - begun, 1_000);
  recover();
  await fleet.publish(web1, "b");
  const contents = fleet.keys().flatMap((key) => fleet.read(key).map((u) => u.content));
  assert.deepEqual(contents, ["a", "b"]);
});

Deno.test("publish() does not fail because of one refusal that passes", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  fleet.store.before("list", failing(new AccessDeniedError("Access denied")), { times: 1 });
  await fleet.publish(web1, "a");
  assert.equal(fleet.keys().length, 1);
});

Deno.test("publish() sends an update again whose write failed, or failed but was stored", async () => {
  for (const stored of [false, true]) {
    await using fleet = new Fleet();
    const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
    const lost = failing(new StoreUnavailableError("The response was lost"));
    fleet.store[stored ? "after" : "before"]("put", lost, { times: 3 });
    await fleet.publish(web1, ...texts("a", 20));
    await using received = fleet.watch(web2);
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, texts("a", 20));
  }
});

Deno.test("what was queued at a crash is published by the next run, and nothing twice", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-1", fleet);
  const outage = new StoreUnavailableError("Cannot reach the store");
  const recover = fleet.store.before("put", failing(outage));
  await assert.rejects(fleet.publish(fleet.server("web-1", { state }), "a", "b"));
  recover();
  await fleet.publish(fleet.server("web-1", { state }), "c");
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a", "c"]);
  assert.equal(new Set(received.updates.map(({ stream }) => stream)).size, 1);
});

Deno.test("a commit that landed although its write failed and the process died is not a fork", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-1", fleet);
  const lost = new StoreUnavailableError("The response was lost");
  const recover = fleet.store.after("put", failing(lost));
  const first = fleet.server("web-1", { state });
  const stream = first.stream;
  await assert.rejects(fleet.publish(first, "a"));
  await fleet.time.run(first.close());
  recover();
  const second = fleet.server("web-1", { state });
  await fleet.publish(second, "b");
  assert.equal(second.stream, stream);
  const contents = fleet.keys("tail/").flatMap((key) => fleet.read(key).map((u) => u.content));
  assert.deepEqual(contents, ["a", "b"], "what has landed is not sent again");
});

Deno.test("publish() waits commitInterval between commits, to save requests", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1", { commitInterval: "5s" });
  const begun = fleet.time.clock.now();
  await fleet.publish(web1, "a");
  assert.equal(fleet.time.clock.now(), begun);
  const updates = ["b", "c"].map((content) => publish(web1, { url: urlOf(content), content }));
  await fleet.time.run(Promise.all(updates));
  assert.equal(fleet.time.clock.now(), begun + 5000);
  assert.equal(fleet.keys("tail/").length, 2);
});

Deno.test("close() uploads what is queued", async () => {
  const fleet = new Fleet();
  const web1 = fleet.server("web-1", { commitInterval: "1h" });
  await fleet.publish(web1, "a");
  const waiting = assert.doesNotReject(publish(web1, { url: urlOf("b"), content: "b" }));
  await Promise.resolve();
  await fleet[Symbol.asyncDispose]();
  await waiting;
  assert.equal(fleet.keys("tail/").length, 2);
});

Deno.test("close() uploads what publish() was given just before, also without a state file", async () => {
  await using fleet = new Fleet();
  const server = fleet.server("web-1");
  const publishing = publish(server, { url: "https://example.com/", content: "a" });
  await fleet.time.run(server.close());
  assert.equal((await publishing).status, "published");
  assert.equal(fleet.keys("tail/").length, 1);
});

Deno.test("a commit holds at most 1,000 updates or 1 MiB, but a larger update goes through", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const url = "https://example.com/";
  await publish(web1, texts("a", 1500).map((content) => ({ url, content })));
  assert.deepEqual(fleet.keys("tail/").map((key) => fleet.read(key).length), [1000, 500]);
  const big = "x".repeat(700 * 1024);
  await publish(web1, [{ url, content: big }, { url, content: big }, { url, content: big + big }]);
  const sizes = fleet.keys("tail/").slice(2).map((key) => fleet.read(key).length);
  assert.deepEqual(sizes, [1, 1, 1]);
});

Deno.test("publish() refuses connections that do not come from connect()", async () => {
  const other = {} as Parameters<typeof publish>[0];
  await assert.rejects(publish(other, { url: "https://example.com/", content: "x" }), TypeError);
});
