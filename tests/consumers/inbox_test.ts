import assert from "node:assert/strict";
import { Consumers } from "../../lib/consumers/consumers.ts";
import { BackendUnavailableError } from "../../lib/errors.ts";
import { publish } from "../../lib/publish.ts";
import { watch } from "../../lib/watch.ts";
import { Fleet, survivingState, texts, urlOf } from "../fixture.ts";
import { expire } from "../reading/expired.ts";
import { contentOf, Setting } from "./setting.ts";

Deno.test("nothing is kept while there are no consumers, and what everybody has is dropped", async () => {
  await using setting = new Setting();
  const { state, consumers } = setting;
  await setting.publish("a", "b");
  assert.equal(state.inbox.lastRow(), 0);
  consumers.put("app", { from: "now" });
  await setting.publish("c", "d");
  await setting.drain();
  assert.ok(state.inbox.firstRow() > state.inbox.lastRow());
  assert.equal(state.inbox.bytes(), 0);
  await setting.publish("e");
  consumers.delete("app");
  await setting.fleet.time.pass(20_000);
  assert.equal(state.inbox.bytes(), 0);
  const last = state.inbox.lastRow();
  await setting.publish("f");
  assert.equal(state.inbox.lastRow(), last);
});

Deno.test("a plugin that is away does not hold consumers up", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const web2 = fleet.server("web-2", { state: survivingState("web-2", fleet) });
  await using consumers = new Consumers(web2);
  consumers.put("app", { from: "now" });
  let isAway = true;
  const applied: unknown[] = [];
  await using watcher = watch(web2, ({ content }) => {
    if (isAway) throw new BackendUnavailableError("it is away");
    applied.push(content);
  });
  const contents = texts("a", 12);
  for (const content of contents) {
    await fleet.publish(web1, content);
    await fleet.time.pass(10_000);
  }
  await fleet.time.pass(60_000);
  assert.deepEqual(applied, []);
  const lines = await fleet.time.run(consumers.read("app"));
  assert.deepEqual(lines.map(contentOf), contents);
  consumers.ack("app", lines.at(-1)!.cursor);
  isAway = false;
  await fleet.publish(web1, "last");
  await fleet.time.pass(120_000);
  assert.deepEqual(applied, [...contents, "last"]);
  assert.deepEqual((await fleet.time.run(consumers.read("app"))).map(contentOf), ["last"]);
  await fleet.time.run(watcher.close());
  await fleet.time.run(consumers.close());
});

Deno.test("a crash at any call of the state loses and skips nothing", async () => {
  for (let crashAt = 1;; crashAt++) {
    let calls = 0, hasCrashed = false;
    const point = (call: string) => {
      if (
        !isArmed || hasCrashed || !/^(inbox\.take|cursors\.advance|commit)/.test(call) ||
        ++calls < crashAt
      ) {
        return;
      }
      hasCrashed = true;
      throw new Error("crash");
    };
    let isArmed = false;
    await using setting = new Setting({ point });
    setting.consumers.put("app", { from: "now" });
    await setting.fleet.publish(setting.publisher, ...texts("a", 3));
    isArmed = true;
    await setting.poll().catch(() => {});
    isArmed = false;
    await setting.fleet.publish(setting.publisher, "b");
    await setting.poll();
    await setting.poll();
    assert.deepEqual(await setting.drain(), [...texts("a", 3), "b"], `crash at ${crashAt}`);
    if (!hasCrashed) break;
  }
});

Deno.test("own updates go to consumers that want them, once they are uploaded", async () => {
  await using setting = new Setting();
  const { consumers, server, fleet } = setting;
  await fleet.publish(server, "before");
  consumers.put("all", { from: "now", own: true });
  consumers.put("others", { from: "now" });
  await fleet.publish(server, "own");
  await setting.publish("foreign");
  await fleet.publish(server, "own again");
  assert.deepEqual(await setting.drain("all"), ["own", "foreign", "own again"]);
  assert.deepEqual(await setting.drain("others"), ["foreign"]);
});

Deno.test("with includeOwn, own updates are not handed out twice", async () => {
  await using setting = new Setting({ config: { includeOwn: true } });
  const { consumers, server, fleet } = setting;
  consumers.put("all", { from: "now", own: true });
  consumers.put("others", { from: "now" });
  await fleet.publish(server, "own");
  await setting.publish("foreign");
  assert.deepEqual(await setting.drain("all"), ["own", "foreign"]);
  await setting.poll();
  assert.deepEqual(await setting.drain("others"), ["foreign"]);
  assert.deepEqual(await setting.drain("all"), []);
});

Deno.test("consumers are told of gaps in the log, and handed what is restored", async () => {
  await using setting = new Setting();
  const { consumers, fleet, publisher } = setting;
  await setting.publish("a");
  consumers.put("app", { from: "now" });
  for (const content of ["b1", "b2"]) {
    await fleet.time.run(publish(publisher, { url: urlOf("b"), content }));
  }
  await expire(fleet);
  await setting.publish("c");
  const lines = await setting.read();
  const gap = { stream: publisher.stream, first: 2, last: 3, reason: "log" };
  assert.deepEqual(lines.map(contentOf), [gap, "c", "b2"]);
  assert.equal(lines[2].update!.restored, true);
  await setting.drain();
  await setting.poll();
  assert.deepEqual(await setting.drain(), []);
});

Deno.test("what an older program has applied without the inbox is told as lost", async () => {
  await using setting = new Setting();
  const { consumers, state, publisher } = setting;
  consumers.put("app", { from: "now" });
  consumers.put("complete", { from: "newest" });
  await setting.publish("a");
  await setting.drain();
  await setting.drain("complete");
  await setting.fleet.publish(publisher, "b", "c", "d");
  state.cursors.advance(publisher.stream, { from: 1, to: 3 });
  await setting.poll();
  const gap = { stream: publisher.stream, first: 2, last: 3, reason: "inbox" };
  assert.deepEqual(await setting.drain(), [gap, "d"]);
  const [first, ...rest] = await setting.drain("complete");
  assert.deepEqual(first, gap);
  assert.deepEqual(rest, ["a", "d"], "what the older program noted, the newest of all feeds");
});
