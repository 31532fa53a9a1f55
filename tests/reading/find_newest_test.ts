import assert from "node:assert/strict";
import { join } from "node:path";
import { connect } from "../../lib/connect.ts";
import {
  ClosedError,
  ConfigError,
  FeedSyncError,
  MissingKeyError,
  StoreUnavailableError,
} from "../../lib/errors.ts";
import { feeds } from "../../lib/feeds.ts";
import { asSeq } from "../../lib/log/positions.ts";
import { newestName } from "../../lib/log/newest/names.ts";
import { newest } from "../../lib/newest.ts";
import { publish } from "../../lib/publish.ts";
import { restore } from "../../lib/restore.ts";
import type { Connection } from "../../lib/connection.ts";
import { State } from "../../lib/state/state.ts";
import { workspace } from "../cli/feedsync.ts";
import { captureLog, Keys } from "../encryption/keys.ts";
import { Fleet, texts, urlOf } from "../fixture.ts";
import { failing, hanging, shuffled } from "../memory_store.ts";
import { keep, requestsOf } from "./newest_feeds.ts";

const HOUR = 60 * 60 * 1000;

/** What `newest` resolves to. */
function find({ time }: Fleet, connection: Connection, url: string) {
  return time.run(newest(connection, url));
}

/** Deletes every object of the log. */
async function emptyLog({ store }: Fleet): Promise<void> {
  await store.delete([...store.objects.keys()].filter((key) => !key.startsWith("newest/")));
}

Deno.test("a server that watches finds what is in a commit with a LIST and a GET, in a segment with one LIST more", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, ...texts("sealed", 12), "last");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  for (const [content, expected] of [["last", [1, 1]], ["sealed1", [2, 1]]] as const) {
    const { list, get } = await requestsOf(fleet, async () => {
      const update = await find(fleet, web2, urlOf(content));
      const sent = received.updates.find((update) => update.content === content);
      assert.deepEqual(update, sent);
    });
    assert.deepEqual([list, get], expected, content);
  }
});

Deno.test("what only newest/ holds takes a LIST and a GET, and what nobody knows a LIST", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(web1);
  await fleet.time.run(received.watcher.poll());
  const bytes = new Uint8Array([0xff, 0, 10, 13]);
  const url = "https://example.com/kept";
  await keep(fleet, { url, content: bytes, time: fleet.time.clock.now() - 48 * HOUR });
  const kept = await requestsOf(fleet, async () => {
    const update = await find(fleet, web1, "HTTPS://Example.com:443/kept#top");
    assert.deepEqual(update?.content, bytes);
    assert.deepEqual([update?.server, update?.superseded], ["old-1", false]);
  });
  assert.deepEqual(kept, { list: 1, get: 1 });
  const unknown = await requestsOf(fleet, async () => {
    assert.equal(await find(fleet, web1, `${url}/unknown`), undefined);
  });
  assert.deepEqual(unknown, { list: 1, get: 0 });
});

Deno.test("an own update that is still queued is the newest, and takes no request", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(web1);
  await fleet.time.run(received.watcher.poll());
  const stop = fleet.store.before("put", failing(new StoreUnavailableError("down")));
  const content = { items: [1, "ü"] };
  const publishing = publish(web1, { url: urlOf("own"), content, metadata: { etag: "x" } });
  await assert.rejects(fleet.time.run(publishing), StoreUnavailableError);
  const requests = await requestsOf(fleet, async () => {
    const update = await find(fleet, web1, urlOf("own"));
    assert.deepEqual([update?.content, update?.metadata], [content, { etag: "x" }]);
    assert.deepEqual([update?.server, update?.seq], ["web-1", 1]);
  });
  assert.deepEqual(requests, { list: 0, get: 0 });
  stop();
});

Deno.test("without a state that knows, the log is read: whole at first, then what is new", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, ...texts("a", 5));
  assert.equal((await find(fleet, web2, urlOf("a3")))?.content, "a3");
  await fleet.publish(web1, "b");
  const requests = await requestsOf(fleet, async () => {
    assert.equal((await find(fleet, web2, urlOf("b")))?.content, "b");
  });
  // The poll reads one commit, then it is listed and read for its content.
  assert.deepEqual(requests, { list: 2, get: 2 });
  assert.equal(web2.parts!.state.cursors.knowsAny(), false, "no cursor moves");
});

Deno.test("a state that has not polled for more than ten minutes is not believed", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "old");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  await fleet.time.run(publish(web1, { url: urlOf("old"), content: "new" }));
  assert.equal((await find(fleet, web2, urlOf("old")))?.content, "old");
  fleet.time.skip(11 * 60_000);
  assert.equal((await find(fleet, web2, urlOf("old")))?.content, "new");
});

Deno.test("the newer wins of what the log and newest/ hold", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "feed");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  const url = urlOf("feed");
  const published = fleet.time.clock.now();
  await keep(fleet, { url, content: "older", time: published - HOUR });
  assert.equal((await find(fleet, web2, url))?.content, "feed");
  fleet.time.skip(30 * HOUR);
  await fleet.time.run(received.watcher.poll());
  assert.equal((await find(fleet, web2, url))?.content, "feed");
  await keep(fleet, { url, content: "newer", time: published + HOUR });
  assert.equal((await find(fleet, web2, url))?.content, "newer");
});

Deno.test("while a restore is due, the log is not believed to hold the newest", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "feed");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  await keep(fleet, { url: urlOf("feed"), content: "newer", time: fleet.time.clock.now() + HOUR });
  web2.parts!.state.restoring.require();
  assert.equal((await find(fleet, web2, urlOf("feed")))?.content, "newer");
});

Deno.test("an update that has been carried is found where it is now", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "feed");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  const [update] = received.updates;
  await fleet.log.newest.write({ ...update, seq: asSeq(update.seq) });
  await emptyLog(fleet);
  assert.deepEqual(await find(fleet, web2, update.url), update);
});

Deno.test("that a feed is gone is what is newest of it", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "feed");
  await fleet.time.run(publish(web1, { url: urlOf("feed"), removed: true }));
  assert.equal((await find(fleet, web2, urlOf("feed")))?.removed, true);
  await keep(fleet, { url: "https://example.com/gone", removed: true });
  assert.equal((await find(fleet, web2, "https://example.com/gone"))?.removed, true);
});

Deno.test("garbage at a greater key hides nothing: the next lesser is taken, and the log says so", async () => {
  await using fleet = new Fleet();
  using logged = captureLog();
  const web1 = fleet.server("web-1");
  const name = await keep(fleet, { content: "feed" });
  const forged = newestName({ ...name, time: name.time + 1 });
  await fleet.store.put(forged.key, new TextEncoder().encode("garbage"));
  const ahead = newestName({ ...name, time: name.time + 48 * HOUR });
  await fleet.store.put(ahead.key, fleet.store.objects.get(name.key)!.body);
  assert.equal((await find(fleet, web1, urlOf("feed")))?.content, "feed");
  const warnings = logged.lines.filter((line) => line.startsWith("warning: Cannot read newest/"));
  assert.equal(warnings.length, 1, logged.lines.join("\n"));
  assert.match(warnings[0], /an older update of the feed/);
});

Deno.test("a newest update that is lost is told of, with the next older one in its place", async () => {
  await using fleet = new Fleet();
  using logged = captureLog();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await keep(fleet, { content: "feed", time: fleet.time.clock.now() - HOUR });
  await fleet.publish(web1, "feed", "other");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  await emptyLog(fleet);
  assert.equal((await find(fleet, web2, urlOf("feed")))?.server, "old-1");
  assert.match(
    logged.lines.join("\n"),
    /warning: The newest update of \S+feed, of .* is damaged, or no longer in the/,
  );
  await assert.rejects(find(fleet, web2, urlOf("other")), (error) => {
    assert.ok(error instanceof FeedSyncError);
    assert.match(error.message, /Cannot read the newest update of \S+other, of 2026-.*publish/);
    return true;
  });
});

Deno.test("an update is found by its id where another one is at its place", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "feed", "other");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  const { newest: known } = web2.parts!.state;
  const { place: _, ...version } = known.get(urlOf("feed"))!;
  for (const place of [undefined, { stream: web1.stream, seq: 2 }]) {
    known.note(urlOf("feed"), { ...version, time: ++(version as { time: number }).time }, {
      place,
    });
    assert.equal((await find(fleet, web2, urlOf("feed")))?.content, "feed");
  }
});

Deno.test("with keys nothing else changes, and an update without its key is not passed over", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  await using others = await Keys.make();
  const envelope = await keys.envelope();
  const [web1, web2] = [fleet.server("web-1", { envelope }), fleet.server("web-2", { envelope })];
  await fleet.publish(web1, "feed");
  assert.equal((await find(fleet, web2, urlOf("feed")))?.content, "feed");
  await keep(fleet, { content: "kept", envelope });
  assert.equal((await find(fleet, web2, urlOf("kept")))?.content, "kept");
  await others.write(JSON.stringify({
    ...JSON.parse(await keys.text()),
    keys: JSON.parse(await others.text()).keys,
  }));
  const time = fleet.time.clock.now() + 1;
  await keep(fleet, { content: "kept", time, envelope: await others.envelope() });
  await assert.rejects(find(fleet, web2, urlOf("kept")), MissingKeyError);
});

Deno.test("a store that hides an object at first, or lists in another order, hides no update", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, ...texts("a", 20));
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  for (const key of fleet.keys("segments/")) fleet.store.hidden.set(key, 1);
  assert.equal((await find(fleet, web2, urlOf("a1")))?.content, "a1");
  fleet.store.order = shuffled;
  for (const content of texts("a", 20)) {
    assert.equal((await find(fleet, web2, urlOf(content)))?.content, content);
  }
});

Deno.test("nothing is said to be unknown while some of the log cannot be read", async () => {
  await using home = await workspace();
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  await fleet.publish(fleet.server("web-4"), "plain");
  const envelope = await keys.envelope({ allowPlaintext: true });
  await fleet.publish(fleet.server("web-1", { envelope }), "feed");
  const owner = { server: "web-3", store: fleet.store.url };
  const state = new State(join(home.path, "web-3.db"), owner, fleet.time.random);
  const [web2, web3] = [fleet.server("web-2"), fleet.server("web-3", { state })];
  state.setFact("restored", 1); // It has read everything before the key was changed.
  await using received = fleet.watch(web3);
  await fleet.time.run(received.watcher.poll());
  for (const [connection, error] of [[web2, MissingKeyError], [web3, ConfigError]] as const) {
    assert.equal((await find(fleet, connection, urlOf("plain")))?.content, "plain");
    await assert.rejects(find(fleet, connection, urlOf("feed")), error);
    const urls: string[] = [];
    const listing = async () => {
      for await (const { url } of feeds(connection)) urls.push(url);
    };
    await assert.rejects(fleet.time.run(listing()), error);
    assert.deepEqual(urls, [urlOf("plain")]);
  }
});

Deno.test("what is being looked for ends with the connection, or when asked", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  fleet.store.before("list", hanging());
  const controller = new AbortController();
  const reason = new Error("enough");
  const searches = [
    newest(web1, urlOf("a"), { signal: controller.signal }),
    Array.fromAsync(feeds(web1, { signal: controller.signal })),
  ];
  const aborted = searches.map((search) => assert.rejects(search, reason));
  controller.abort(reason);
  await fleet.time.run(Promise.all(aborted));
  const closed = [newest(web2, urlOf("a")), Array.fromAsync(feeds(web2))]
    .map((search) => assert.rejects(search, ClosedError));
  await fleet.time.run(web2.close());
  await fleet.time.run(Promise.all(closed));
  await assert.rejects(newest(web2, urlOf("a")), ClosedError);
  assert.throws(() => feeds(web2), ClosedError);
});

Deno.test("a connection that is not enabled knows nothing", async () => {
  await using sync = await connect({ enabled: false });
  assert.equal(await newest(sync, urlOf("a")), undefined);
  assert.deepEqual(await Array.fromAsync(feeds(sync)), []);
  assert.deepEqual((await restore(sync)).restored, 0);
});
