import assert from "node:assert/strict";
import { Consumers } from "../../lib/consumers/consumers.ts";
import { StoreUnavailableError } from "../../lib/errors.ts";
import { publish } from "../../lib/publish.ts";
import { captureLog } from "../encryption/keys.ts";
import { Fleet, texts, urlOf } from "../fixture.ts";
import { failing } from "../memory_store.ts";
import { expire } from "../reading/expired.ts";
import { contentOf, Setting } from "./setting.ts";

Deno.test("a consumer that begins with the newest is handed each feed once, then what is new", async () => {
  await using setting = new Setting();
  const { consumers } = setting;
  await setting.publish(...texts("a", 20));
  await setting.publishUpdate({ url: urlOf("a1"), content: "newer" });
  await setting.publishUpdate({ url: urlOf("a2"), removed: true });
  await setting.publish();
  consumers.put("app", { from: "newest" });
  await setting.publish("b1");
  const seen = await setting.drain("app", { limit: 7 });
  assert.deepEqual(seen.toSorted(), ["newer", ...texts("a", 18, 3), "b1"].toSorted());
  assert.equal(seen.at(-1), "b1");
});

Deno.test("the newest come from the outbox, the log and newest/, marked as restored", async () => {
  await using setting = new Setting();
  const { consumers, fleet, server, publisher } = setting;
  await setting.publish("kept");
  await expire(fleet);
  await setting.publish("in the log");
  await fleet.publish(server, "own");
  consumers.put("app", { from: "newest" });
  const lines = await setting.read();
  assert.deepEqual(lines.map(contentOf).toSorted(), ["in the log", "kept", "own"]);
  for (const { update } of lines) {
    assert.equal(update!.restored, true);
    assert.equal(update!.superseded, false);
  }
  const kept = lines.find((line) => contentOf(line) === "kept")!.update!;
  assert.deepEqual([kept.stream, kept.seq], [publisher.stream, 1]);
});

Deno.test("each object of the log is fetched once, however many of its feeds are handed out", async () => {
  await using setting = new Setting();
  const { fleet, publisher } = setting;
  const updates = texts("a", 500).map((content) => ({ url: urlOf(content), content }));
  await fleet.time.run(publish(publisher, updates));
  await setting.poll();
  setting.consumers.put("app", { from: "newest" });
  const before = { ...setting.server.requests };
  assert.equal((await setting.drain("app", { limit: 50 })).length, 500);
  const { get, list } = setting.server.requests;
  assert.deepEqual([get - before.get, list - before.list], [1, 2]);
});

Deno.test("a walk goes on where it was acknowledged, in the same order", async () => {
  await using setting = new Setting();
  const { consumers, server } = setting;
  await setting.publish(...texts("a", 10));
  consumers.put("app", { from: "newest" });
  const first = await setting.read("app", { limit: 4 });
  consumers.ack("app", first[1].cursor);
  await setting.run(consumers.close());
  const again = new Consumers(server);
  const rest = await setting.run(again.read("app"));
  assert.deepEqual(rest.slice(0, 2).map(({ cursor }) => cursor), [
    first[2].cursor,
    first[3].cursor,
  ]);
  assert.equal(rest.length, 8);
  const ahead = await setting.run(again.read("app", { after: rest[3].cursor }));
  assert.deepEqual(ahead.map(contentOf), rest.slice(4).map(contentOf));
  again.ack("app", rest[7].cursor);
  assert.deepEqual(await setting.run(again.read("app")), []);
  await setting.run(again.close());
});

Deno.test("a feed that is updated while others are handed out comes once, with its last update", async () => {
  await using setting = new Setting();
  const { consumers } = setting;
  await setting.publish(...texts("a", 10));
  consumers.put("app", { from: "newest" });
  await setting.read("app", { limit: 1 });
  await setting.publishUpdate({ url: urlOf("a10"), content: "newer" });
  await setting.poll();
  const seen = await setting.drain();
  assert.deepEqual(seen, [...texts("a", 9), "newer"]);
});

Deno.test("while the store is away nothing is skipped", async () => {
  await using setting = new Setting();
  const { consumers, fleet } = setting;
  await setting.publish("a", "b");
  await expire(fleet);
  consumers.put("app", { from: "newest" });
  const end = fleet.store.before("get", failing(new StoreUnavailableError("away")));
  await assert.rejects(setting.read(), StoreUnavailableError);
  end();
  assert.deepEqual((await setting.drain()).toSorted(), ["a", "b"]);
});

Deno.test("a feed that the store does not find yet is handed out last; one that is gone, not at all", async () => {
  await using setting = new Setting();
  using log = captureLog();
  const { consumers, fleet } = setting;
  await setting.publish("a", "b", "c");
  const kept = await expire(fleet);
  const keyOf = (content: string) => {
    const { id } = kept.find((update) => update.content === content)!;
    return fleet.keys("newest/").find((key) => key.includes(id))!;
  };
  fleet.store.hidden.set(keyOf("a"), 1000);
  fleet.store.objects.delete(keyOf("b"));
  consumers.put("app", { from: "newest" });
  const next = async () => {
    const lines = await setting.read();
    for (const { cursor } of lines) consumers.ack("app", cursor);
    return lines.map(contentOf);
  };
  assert.deepEqual(await next(), ["c"]);
  await assert.rejects(next(), StoreUnavailableError);
  fleet.store.hidden.clear();
  assert.deepEqual(await next(), ["a"]);
  await assert.rejects(next(), StoreUnavailableError);
  await fleet.time.pass(60_000);
  assert.deepEqual(await next(), []);
  assert.equal(
    log.lines.filter((line) => line.includes("The consumer app is not handed")).length,
    1,
  );
});

Deno.test("what a new server lacks reaches a consumer as it is restored", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), ...texts("a", 5));
  await expire(fleet);
  await using setting = new Setting();
  for (const [key, object] of fleet.store.objects) setting.fleet.store.objects.set(key, object);
  setting.consumers.put("app", { from: "newest" });
  assert.deepEqual(await setting.drain(), []);
  await setting.poll();
  assert.deepEqual((await setting.drain()).toSorted(), texts("a", 5));
});

Deno.test("with a state in memory, a consumer of the newest has the watcher restore", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a");
  await expire(fleet);
  const web2 = fleet.server("web-2");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, []);
  const consumers = new Consumers(web2);
  consumers.put("app", { from: "newest" });
  await fleet.time.run(received.watcher.poll());
  const lines = await fleet.time.run(consumers.read("app"));
  assert.deepEqual(lines.map(contentOf), ["a"]);
  await fleet.time.run(consumers.close());
});
