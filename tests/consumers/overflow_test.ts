import assert from "node:assert/strict";
import { UnknownConsumerError } from "../../lib/consumers/errors.ts";
import { captureLog } from "../encryption/keys.ts";
import { texts, urlOf } from "../fixture.ts";
import { contentOf, Setting } from "./setting.ts";

const DAY = 24 * 60 * 60_000;

/** A content of 1 KB. */
function large(text: string): string {
  return text.padEnd(1000, ".");
}

/** The beginnings of contents; gaps as they are. */
function short(contents: readonly unknown[]): unknown[] {
  return contents.map((content) =>
    typeof content === "string" ? content.replaceAll(".", "") : content
  );
}

Deno.test("superseded updates go first when the inbox is full, and are told as such", async () => {
  await using setting = new Setting({ inbox: { maxBytes: 20_000 } });
  const { consumers, publisher, state } = setting;
  consumers.put("app", { from: "now" });
  for (let version = 1; version <= 8; version++) {
    await setting.publishUpdate({ url: urlOf("a"), content: large(`a${version}`) });
  }
  for (const feed of texts("b", 12)) {
    await setting.publishUpdate({ url: urlOf(feed), content: large(feed) });
  }
  await setting.poll();
  await setting.fleet.time.pass(1);
  assert.ok(state.inbox.bytes() <= 20_000);
  const { stream } = publisher;
  const gap = { stream, first: 1, last: 7, reason: "superseded" };
  assert.deepEqual(short(await setting.drain()), [gap, "a8", ...texts("b", 12)]);
  assert.equal(state.inbox.bytes(), 0);
});

Deno.test("when nothing is superseded the oldest go, and are a gap for those who have not read them", async () => {
  await using setting = new Setting({ inbox: { maxBytes: 20_000 } });
  const { consumers, publisher, state } = setting;
  for (const name of ["slow", "quick"]) consumers.put(name, { from: "now" });
  await setting.publishMany(texts("a", 5).map(large));
  assert.equal((await setting.drain("quick")).length, 5);
  const lines = await setting.read("slow", { limit: 3 });
  await setting.publishMany(texts("b", 15).map(large));
  await setting.fleet.time.pass(1);
  assert.ok(state.inbox.bytes() <= 20_000, String(state.inbox.bytes()));
  const gap = { stream: publisher.stream, first: 1, last: 6, reason: "inbox" };
  assert.deepEqual(short(await setting.drain("quick")), [gap, ...texts("b", 14, 2)]);
  consumers.ack("slow", lines[2].cursor);
  assert.deepEqual(short(await setting.drain("slow")), [gap, ...texts("b", 14, 2)]);
});

Deno.test("a consumer of the newest begins again behind a gap of its own", async () => {
  await using setting = new Setting({ inbox: { maxBytes: 20_000 } });
  const { consumers } = setting;
  consumers.put("app", { from: "newest" });
  await setting.publish("a", "b");
  assert.deepEqual(await setting.drain(), ["a", "b"]);
  await setting.publishUpdate({ url: urlOf("a"), removed: true });
  for (let page = 0; page < 5; page++) await setting.publishMany(texts("c", 300, 1 + 300 * page));
  await setting.fleet.time.pass(1);
  const [gap, ...rest] = await setting.drain();
  assert.equal((gap as { reason: string }).reason, "inbox");
  // It has to learn what was removed meanwhile, too.
  assert.deepEqual(rest.toSorted(), ["b", ...texts("c", 1500), "removed"].toSorted());
  assert.deepEqual(await setting.drain(), []);
});

Deno.test("lines after the gap can be read ahead of its acknowledgement", async () => {
  await using setting = new Setting({ inbox: { maxBytes: 20_000 } });
  setting.consumers.put("app", { from: "newest" });
  await setting.publish("a");
  await setting.drain();
  for (let page = 0; page < 5; page++) await setting.publishMany(texts("c", 300, 1 + 300 * page));
  await setting.fleet.time.pass(1);
  const all: unknown[] = [];
  let after: string | undefined;
  for (;;) {
    const lines = await setting.read("app", { after, limit: 1000 });
    if (lines.length === 0) break;
    all.push(...lines.map(contentOf));
    after = lines.at(-1)!.cursor;
  }
  assert.equal(new Set(all).size, 1502);
  assert.equal((await setting.read("app", { limit: 1 }))[0].gap!.reason, "inbox");
  setting.consumers.ack("app", after!);
  assert.deepEqual(await setting.drain(), []);
});

Deno.test("what waits too long is dropped, and a consumer that nobody reads is forgotten", async () => {
  await using setting = new Setting({ inbox: { maxAgeMs: 2 * DAY } });
  using log = captureLog();
  const { consumers, fleet, publisher, state } = setting;
  for (const name of ["app", "gone"]) consumers.put(name, { from: "now" });
  await setting.publish("a");
  await fleet.time.pass(1.5 * DAY);
  await setting.publish("b");
  assert.deepEqual(await setting.contents(), ["a", "b"]);
  await fleet.time.pass(DAY);
  const gap = { stream: publisher.stream, first: 1, last: 1, reason: "inbox" };
  assert.deepEqual(await setting.drain(), [gap, "b"]);
  await assert.rejects(consumers.read("gone"), UnknownConsumerError);
  const told = log.lines.filter((line) => line.includes("Nobody has read the consumer gone"));
  assert.equal(told.length, 1);
  await fleet.time.pass(3 * DAY);
  assert.deepEqual(consumers.list(), []);
  await setting.publish("c");
  assert.equal(state.inbox.bytes(), 0);
});

Deno.test("gaps in many streams are told as one", async () => {
  await using setting = new Setting({ inbox: { maxBytes: 20_000 } });
  const { consumers, fleet, state } = setting;
  consumers.put("app", { from: "now" });
  for (let stream = 0; stream < 600; stream++) {
    const letters = "abcdefghijklmnopqrstuvwxyz";
    const name = `web-9_aaaaaa${letters[Math.floor(stream / 26)]}${letters[stream % 26]}`;
    await fleet.forge({ kind: "tail", stream: name, first: 1, last: 1 }, () => large(name));
  }
  await setting.poll();
  await fleet.time.pass(1);
  assert.ok(state.inbox.bytes() <= 20_000, String(state.inbox.bytes()));
  const gaps = await setting.drain();
  assert.deepEqual(gaps[0], { stream: null, first: 0, last: 0, reason: "inbox" });
});

Deno.test("an inbox that nobody looks after is bounded, too", async () => {
  await using setting = new Setting({ inbox: { maxBytes: 20_000 } });
  const { consumers, fleet, state } = setting;
  consumers.put("app", { from: "now" });
  await fleet.time.run(consumers.close());
  for (let page = 0; page < 5; page++) await setting.publishMany(texts("c", 300, 1 + 300 * page));
  assert.ok(state.inbox.bytes() <= 1.25 * 20_000 + 300 * 250, String(state.inbox.bytes()));
});

Deno.test("when there is no local API any more, consumers are forgotten, with what waits for them", async () => {
  await using setting = new Setting({ inbox: { maxAgeMs: 2 * DAY } });
  const { consumers, fleet, state } = setting;
  consumers.put("app", { from: "now" });
  await fleet.time.run(consumers.close());
  await setting.publish("a");
  assert.ok(state.inbox.bytes() > 0);
  fleet.time.skip(3 * DAY);
  await setting.publish("b");
  assert.deepEqual(consumers.list(), []);
  assert.equal(state.inbox.bytes(), 0);
});
