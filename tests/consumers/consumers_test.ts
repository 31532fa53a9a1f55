import assert from "node:assert/strict";
import {
  InvalidCursorError,
  ReaderReplacedError,
  TooManyConsumersError,
  UnknownConsumerError,
} from "../../lib/consumers/errors.ts";
import { ClosedError } from "../../lib/errors.ts";
import { texts, urlOf } from "../fixture.ts";
import { Setting } from "./setting.ts";

Deno.test("a consumer is handed what it has not acknowledged, again and again", async () => {
  await using setting = new Setting();
  const { consumers } = setting;
  await setting.publish("before");
  consumers.put("app", { from: "now" });
  assert.deepEqual(await setting.contents(), []);
  await setting.publish(...texts("a", 3));
  const lines = await setting.read();
  assert.deepEqual(lines.map(({ update }) => update!.content), ["a1", "a2", "a3"]);
  assert.deepEqual(await setting.contents(), ["a1", "a2", "a3"]);
  consumers.ack("app", lines[1].cursor);
  assert.deepEqual(await setting.contents(), ["a3"]);
  consumers.ack("app", lines[0].cursor);
  assert.deepEqual(await setting.contents(), ["a3"]);
  consumers.ack("app", lines[2].cursor);
  assert.deepEqual(await setting.contents(), []);
});

Deno.test("a line is JSON with a cursor and the update in its stable form", async () => {
  await using setting = new Setting();
  setting.consumers.put("app", { from: "now" });
  await setting.publishUpdate({ content: { items: ["ü"] }, metadata: { etag: "1" } });
  await setting.poll();
  const [{ json, cursor, update }] = await setting.read();
  const { id, time } = update!;
  assert.deepEqual(JSON.parse(json), {
    cursor,
    update: {
      ...{ id, url: urlOf("feed"), content: { items: ["ü"] }, metadata: { etag: "1" } },
      ...{ server: "web-1", time, stream: setting.publisher.stream, seq: 1, superseded: false },
    },
  });
});

Deno.test("content is handed over as text, as bytes, or not at all", async () => {
  await using setting = new Setting();
  setting.consumers.put("app", { from: "now" });
  for (const content of ["ü", new Uint8Array([0xff]), [1]]) {
    await setting.publishUpdate({ content });
  }
  await setting.publishUpdate({ removed: true });
  await setting.poll();
  const forms = async (content: "text" | "bytes" | "none") =>
    (await setting.read("app", { content })).map(({ update }) => {
      const { content, encoding, removed } = update!;
      return [content, encoding, removed];
    });
  const text = ["ü", undefined, undefined], bytes = ["/w==", "base64", undefined];
  const removal = [undefined, undefined, true], none = [undefined, undefined, undefined];
  assert.deepEqual(await forms("text"), [text, bytes, [[1], undefined, undefined], removal]);
  const json = ["WwogIDEKXQo=", "base64", undefined];
  assert.deepEqual(await forms("bytes"), [["w7w=", "base64", undefined], bytes, json, removal]);
  assert.deepEqual(await forms("none"), [none, none, none, removal]);
});

Deno.test("a batch is bounded by number and size, and holds at least one line however large", async () => {
  await using setting = new Setting();
  setting.consumers.put("app", { from: "now" });
  await setting.publish("a".padEnd(5000, "-"), "b", "c", "d");
  assert.deepEqual((await setting.contents("app", { maxBytes: 1 })).length, 1);
  const sizes = (await setting.read()).map(({ json }) => json.length + 1);
  const maxBytes = sizes[0] + sizes[1] + sizes[2];
  assert.deepEqual((await setting.contents("app", { maxBytes: maxBytes - 1 })).length, 2);
  assert.deepEqual((await setting.contents("app", { maxBytes })).length, 3);
  assert.deepEqual((await setting.contents("app", { limit: 2 })).length, 2);
  for (const options of [{ limit: 0 }, { limit: NaN }, { limit: 10_001 }, { waitMs: 25_001 }]) {
    await assert.rejects(setting.consumers.read("app", options), RangeError);
  }
  await assert.rejects(setting.consumers.read("app", { content: "xml" as "text" }), TypeError);
});

Deno.test("consumers are independent of each other", async () => {
  await using setting = new Setting();
  const { consumers } = setting;
  consumers.put("one", { from: "now" });
  await setting.publish("a", "b");
  consumers.put("two", { from: "now" });
  await setting.publish("c");
  assert.deepEqual(await setting.drain("one"), ["a", "b", "c"]);
  assert.deepEqual(await setting.drain("two"), ["c"]);
  assert.ok(consumers.delete("one"));
  assert.ok(!consumers.delete("one"));
  await assert.rejects(consumers.read("one"), UnknownConsumerError);
  assert.throws(() => consumers.ack("one", "aaaaaaaa-1"), UnknownConsumerError);
  assert.deepEqual(consumers.list().map(({ name }) => name), ["two"]);
});

Deno.test("what is read ahead is acknowledged with what comes before it", async () => {
  await using setting = new Setting();
  setting.consumers.put("app", { from: "now" });
  await setting.publish(...texts("a", 5));
  const first = await setting.read("app", { limit: 2 });
  const second = await setting.read("app", { limit: 2, after: first[1].cursor });
  assert.deepEqual(second.map(({ update }) => update!.content), ["a3", "a4"]);
  setting.consumers.ack("app", second[0].cursor);
  assert.deepEqual(await setting.contents(), ["a4", "a5"]);
  // What is acknowledged is not handed out again.
  assert.deepEqual(await setting.contents("app", { after: first[0].cursor }), ["a4", "a5"]);
});

Deno.test("a cursor that was never handed out is refused", async () => {
  await using setting = new Setting();
  const { consumers } = setting;
  consumers.put("app", { from: "now" });
  await setting.publish(...texts("a", 3));
  const [{ cursor }] = await setting.read("app", { limit: 1 });
  const beyond = cursor.replace(/.$/, (last) => (parseInt(last, 36) + 1).toString(36));
  const hostile = [
    "",
    "a",
    `${cursor}-`,
    `${cursor}\n`,
    "../../x",
    "aaaaaaaa-zzzzzzzzzzz",
    null,
    1,
  ];
  for (const bad of [beyond, `${cursor}-1`, ...hostile]) {
    const isExpected = (error: Error) =>
      error instanceof InvalidCursorError || error.name === "ExpiredCursorError";
    assert.throws(() => consumers.ack("app", bad as string), isExpected, String(bad));
    await assert.rejects(consumers.read("app", { after: bad as string }), isExpected);
  }
  assert.throws(() => consumers.ack("app", beyond), InvalidCursorError);
  assert.deepEqual(await setting.contents(), ["a1", "a2", "a3"]);
});

Deno.test("a reader waits until something comes", async () => {
  await using setting = new Setting();
  setting.consumers.put("app", { from: "now" });
  const { clock } = setting.fleet.time;
  await setting.poll();
  const begun = clock.elapsed();
  const waiting = setting.consumers.read("app", { waitMs: 25_000 });
  await setting.publish("a");
  const [line] = await setting.run(waiting);
  assert.equal(line.update!.content, "a");
  assert.ok(clock.elapsed() - begun < 1000);
  setting.consumers.ack("app", line.cursor);
  assert.deepEqual(await setting.contents("app", { waitMs: 3000 }), []);
});

Deno.test("a reader ends when another takes its place, it is aborted, or all is closed", async () => {
  await using setting = new Setting();
  const { consumers } = setting, waits = { waitMs: 25_000 };
  consumers.put("app", { from: "now" });
  const older = consumers.read("app", waits), abort = new AbortController();
  const younger = consumers.read("app", { ...waits, signal: abort.signal });
  await assert.rejects(setting.run(older), ReaderReplacedError);
  abort.abort(new Error("gone"));
  await assert.rejects(setting.run(younger), /gone/);
  await assert.rejects(setting.read("app", { signal: AbortSignal.abort(new Error("x")) }), /x/);
  const moved = consumers.read("app", waits);
  consumers.seek("app", "now");
  await assert.rejects(setting.run(moved), ReaderReplacedError);
  const last = consumers.read("app", waits);
  last.catch(() => {});
  await setting.run(consumers.close());
  await assert.rejects(last, ClosedError);
  await assert.rejects(setting.read("app"), ClosedError);
});

Deno.test("names of consumers are short and plain, and there are not too many", async () => {
  await using setting = new Setting();
  const { consumers } = setting;
  for (const name of ["", "A", "a/b", ".a", "a b", "ü", "a\n", "a".repeat(64), "../x", null]) {
    assert.throws(() => consumers.put(name as string, { from: "now" }), TypeError, String(name));
    await assert.rejects(consumers.read(name as string), UnknownConsumerError);
  }
  assert.throws(() => consumers.put("a", { from: "1" as "now" }), TypeError);
  assert.throws(() => consumers.put("a", { from: "now", own: 1 as unknown as boolean }), TypeError);
  for (const name of texts("app-", 100)) consumers.put(name, { from: "now" });
  assert.throws(() => consumers.put("one-more", { from: "now" }), TooManyConsumersError);
  consumers.put("app-1", { from: "now" });
});

Deno.test("a consumer that is made again stays where it is, with its new options", async () => {
  await using setting = new Setting();
  setting.consumers.put("app", { from: "now" });
  await setting.publish("a");
  const info = setting.consumers.put("app", { from: "newest", own: true });
  assert.deepEqual([info.from, info.own, info.behindUpdates], ["newest", true, 1]);
  assert.deepEqual(await setting.drain(), ["a"]);
});

Deno.test("a consumer tells how far it is behind, and when it was read", async () => {
  await using setting = new Setting();
  const { consumers, fleet } = setting;
  consumers.put("app", { from: "now" });
  await setting.publish("a", "b");
  fleet.time.skip(60_000);
  const [info] = consumers.list();
  assert.deepEqual([info.behindUpdates, info.lastRead], [2, null]);
  assert.ok(info.behindSeconds >= 60 && info.behindSeconds < 70, String(info.behindSeconds));
  await setting.drain();
  const [after] = consumers.list();
  assert.deepEqual([after.behindUpdates, after.behindSeconds], [0, 0]);
  assert.equal(after.lastRead, new Date(fleet.time.clock.now()).toISOString());
});

Deno.test("whether an update is superseded is decided when it is handed out", async () => {
  await using setting = new Setting();
  setting.consumers.put("app", { from: "now" });
  await setting.publishUpdate({ content: "old" });
  await setting.poll();
  const superseded = async () => (await setting.read()).map(({ update }) => update!.superseded);
  assert.deepEqual(await superseded(), [false]);
  await setting.publishUpdate({ content: "new" });
  await setting.poll();
  assert.deepEqual(await superseded(), [true, false]);
});

Deno.test("a consumer can go back and ahead, as far as lines are kept", async () => {
  await using setting = new Setting();
  const { consumers } = setting;
  for (const name of ["app", "other"]) consumers.put(name, { from: "now" });
  await setting.publish(...texts("a", 4));
  const lines = await setting.read();
  assert.deepEqual(await setting.drain(), texts("a", 4));
  consumers.seek("app", { cursor: lines[1].cursor });
  assert.deepEqual(await setting.contents(), ["a3", "a4"]);
  consumers.seek("app", "now");
  assert.deepEqual(await setting.contents(), []);
  consumers.seek("app", { cursor: lines[0].cursor });
  assert.deepEqual(await setting.drain(), ["a2", "a3", "a4"]);
  await setting.publish("b");
  for (const name of ["app", "other"]) await setting.drain(name);
  assert.throws(() => consumers.seek("app", { cursor: lines[0].cursor }), /no longer kept/);
  assert.throws(() => consumers.seek("app", "later" as "now"), TypeError);
});
