import assert from "node:assert/strict";
import type { Connection } from "../../lib/connection.ts";
import { feeds, type FeedsOptions } from "../../lib/feeds.ts";
import { newestName } from "../../lib/log/newest/names.ts";
import { publish } from "../../lib/publish.ts";
import { captureLog, Keys } from "../encryption/keys.ts";
import { Fleet, urlOf } from "../fixture.ts";
import { keep, requestsOf } from "./newest_feeds.ts";

const HOUR = 60 * 60 * 1000;

/** All that `feeds` lists, each as its path, server, and what else there is to say. */
async function list({ time }: Fleet, connection: Connection, options?: FeedsOptions) {
  const listed = await time.run(Array.fromAsync(feeds(connection, options)));
  return listed.map(({ url, server, removed, size }) =>
    [url.replace(urlOf(""), ""), server, removed ? "removed" : size ?? "-"].join(" ")
  );
}

Deno.test("feeds are listed once each: those that are known here by URL, then what only newest/ holds", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "b", "a", "gone");
  await fleet.publish(web2, "own");
  await fleet.time.run(publish(web1, { url: urlOf("gone"), removed: true }));
  const now = fleet.time.clock.now();
  await keep(fleet, { content: "kept" });
  await keep(fleet, { content: "a", time: now - HOUR });
  await keep(fleet, { url: urlOf("b"), content: "newer b", time: now + HOUR });
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  for (const connection of [fleet.server("web-3"), web1, web2]) {
    assert.deepEqual(await list(fleet, connection), [
      "a web-1 -",
      "b old-1 7",
      "gone web-1 removed",
      "own web-2 -",
      "kept old-1 4",
    ]);
  }
});

Deno.test("a server that watches asks for a listing only, whatever it knows", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "a", "b");
  await keep(fleet, { content: "a", time: fleet.time.clock.now() - HOUR });
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  const requests = await requestsOf(fleet, async () => {
    assert.deepEqual(await list(fleet, web2), ["a web-1 -", "b web-1 -"]);
  });
  assert.deepEqual(requests, { list: 1, get: 0 });
});

Deno.test("a time and a server choose feeds by their newest updates", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  const begin = fleet.time.clock.now();
  await fleet.publish(web1, "old", "both");
  await keep(fleet, { content: "kept long ago", time: begin - 48 * HOUR });
  await keep(fleet, { content: "kept", time: begin + 2 * HOUR });
  fleet.time.skip(3 * HOUR);
  await fleet.publish(web2, "new");
  await fleet.time.run(publish(web2, { url: urlOf("both"), content: "again" }));
  const web3 = fleet.server("web-3");
  const since = "2h";
  for (const connection of [web3, web1]) {
    const recent = ["both web-2 -", "new web-2 -", "kept old-1 4"];
    assert.deepEqual(await list(fleet, connection, { since }), recent);
  }
  const { get } = await requestsOf(fleet, () => list(fleet, web3, { since }));
  assert.equal(get, 1, "what is older is not read");
  assert.deepEqual(await list(fleet, web3, { server: "web-1" }), ["old web-1 -"]);
  assert.deepEqual(await list(fleet, web3, { since, server: "old-1" }), ["kept old-1 4"]);
  await assert.rejects(list(fleet, web3, { since: "yesterday" }), RangeError);
});

Deno.test("objects that cannot be read hide no other feed, and the log tells of them", async () => {
  await using fleet = new Fleet();
  using logged = captureLog();
  const [one, other] = [await keep(fleet, { content: "a" }), await keep(fleet, { content: "b" })];
  const garbage = new TextEncoder().encode("garbage");
  await fleet.store.put(newestName({ ...one, time: one.time + 1 }).key, garbage);
  await fleet.store.put(other.key, garbage);
  await keep(fleet, { content: "c" });
  const listed = await list(fleet, fleet.server("web-1"));
  assert.deepEqual(listed.sort(), ["a old-1 1", "c old-1 1"]);
  assert.equal(logged.lines.filter((line) => line.includes("Cannot read newest/")).length, 2);
});

Deno.test("a feed that is kept with and without a key is one feed", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const envelope = await keys.envelope({ allowPlaintext: true });
  const now = fleet.time.clock.now(), [url, same] = [urlOf("feed"), urlOf("same")];
  await keep(fleet, { url, content: "plain" });
  await keep(fleet, { url, content: "newer", time: now + 1, envelope });
  await keep(fleet, { url: same, content: "ahead", time: now + 1 });
  await keep(fleet, { url: same, content: "old", envelope });
  const listed = await list(fleet, fleet.server("web-1", { envelope }));
  assert.deepEqual(listed.sort(), ["feed old-1 5", "same old-1 5"]);
});

Deno.test("thousands of feeds are listed, each once, in the order of their URLs", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "0", "1500");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  const { state } = web2.parts!, time = fleet.time.clock.now() + 1;
  state.transaction(() => {
    for (let i = 1000; i < 4000; i++) {
      state.newest.note(urlOf(String(i)), { time, id: crypto.randomUUID(), hash: null });
    }
  });
  const listed = await list(fleet, web2);
  assert.equal(listed.length, 3001);
  assert.deepEqual(listed, [...new Set(listed)].sort());
  assert.equal(state.newest.count(), 1);
});
