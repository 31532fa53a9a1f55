import assert from "node:assert/strict";
import {
  BackendUnavailableError,
  CorruptObjectError,
  MissingKeyError,
  RejectedUpdateError,
  StoreUnavailableError,
} from "../../lib/errors.ts";
import type { Connection } from "../../lib/connection.ts";
import { parseKey } from "../../lib/log/names.ts";
import { publish } from "../../lib/publish.ts";
import type { BucketWatcher } from "../../lib/reading/bucket_watcher.ts";
import type { PollReport, RestoreProgress } from "../../lib/reading/watcher.ts";
import type { State } from "../../lib/state/state.ts";
import { MAX_LISTING_LAG_MS } from "../../lib/stores/store.ts";
import type { Update } from "../../lib/update.ts";
import { watch } from "../../lib/watch.ts";
import { captureLog, Keys } from "../encryption/keys.ts";
import { Fleet, type Received, survivingState, texts, urlOf } from "../fixture.ts";
import { failing } from "../memory_store.ts";
import { expire, logOf } from "./expired.ts";

const MINUTE = 60_000, DAY = 24 * 60 * MINUTE;

/** A server whose state outlives it, as a file does. */
function withState(fleet: Fleet, name: string, config = {}, state?: State): Connection {
  return fleet.server(name, { ...config, state: state ?? survivingState(name, fleet) });
}

function poll({ time }: Fleet, { watcher }: Pick<Received, "watcher">): Promise<PollReport> {
  return time.run(watcher.poll());
}

/** Has other updates fill the bucket, of which only the newest of each feed are kept. */
async function fill(fleet: Fleet, ...contents: string[]): Promise<void> {
  await fleet.publish(fleet.server("web-1"), ...contents);
  await expire(fleet);
}

Deno.test("a new server gets the newest update of every feed that the log does not hold any more", async () => {
  await using fleet = new Fleet();
  const servers = ["web-1", "web-2", "web-3", "web-4"].map((name) => fleet.server(name));
  for (const version of ["old", "new"]) {
    for (const [index, server] of servers.entries()) {
      for (const feed of texts(`feed-${index}-`, 20)) {
        const content = `${version} ${feed}`;
        await fleet.time.run(publish(server, { url: urlOf(feed), content }));
      }
    }
  }
  const kept = await expire(fleet);
  await fleet.publish(fleet.server("web-9"), "in the log");
  await using received = fleet.watch(withState(fleet, "web-5"));
  const report = await poll(fleet, received);
  assert.deepEqual(report, { applied: 81, restored: 80, failed: 0, gaps: 0, unreadable: [] });
  const restored = received.updates.filter(({ restored }) => restored);
  assert.ok(restored.every(({ content }) => String(content).startsWith("new ")));
  assert.ok(restored.every(({ superseded }) => !superseded));
  const places = (updates: readonly { stream: string; seq: number; id: string; time: string }[]) =>
    updates.map(({ stream, seq, id, time }) => [stream, seq, id, time].join()).sort();
  assert.deepEqual(places(restored), places(kept));
  assert.deepEqual((await poll(fleet, received)).applied, 0);
});

Deno.test("a server that was away for a month gets what is newest, and is told of what lies in between", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  const web1 = fleet.server("web-1"), web2 = withState(fleet, "web-2");
  await using received = fleet.watch(web2);
  await fleet.publish(web1, "a", "b");
  await poll(fleet, received);
  fleet.time.skip(30 * DAY);
  for (const content of ["a2", "a3"]) {
    await fleet.time.run(publish(web1, { url: urlOf("a"), content }));
  }
  await expire(fleet);
  await fleet.publish(web1, "c");
  await poll(fleet, received);
  assert.deepEqual(received.contents.slice(2).sort(), ["a3", "c"]);
  assert.deepEqual(received.gaps, [{ stream: web1.stream, first: 3, last: 4 }]);
  const told = log.lines.filter((line) => line.includes("are lost"));
  assert.equal(told.length, 1);
  assert.match(
    told[0],
    /Updates of web-1_\w+ are lost, 3 to 4: .*The newest update of each feed is restored/,
  );
  const served = log.lines.filter((line) => line.includes("after a gap"));
  assert.equal(served.length, 1);
  assert.match(
    served[0],
    /Feeds restored after a gap: 1\. If a feed is missing here, or old, publish it again/,
  );
  await poll(fleet, received);
  assert.equal(log.lines.filter((line) => line.includes("after a gap")).length, 1);
});

Deno.test("after a gap it is told how much could not be restored, and why", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  using log = captureLog();
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(withState(fleet, "web-2"));
  await fleet.publish(web1, "first");
  await poll(fleet, received);
  await fleet.publish(web1, "a", "b", "c");
  const [, damaged, locked] = await expire(fleet);
  const names = logOf(fleet).newest;
  const lockedName = await names.nameOf(locked);
  await fleet.store.put((await names.nameOf(damaged)).key, new Uint8Array(3));
  const sealed = await (await keys.envelope()).encrypt(lockedName, new Uint8Array(3));
  await fleet.store.put(lockedName.key, sealed);
  await fleet.publish(web1, "d");
  await poll(fleet, received);
  assert.deepEqual(received.contents.toSorted(), ["c", "d", "first"]);
  const [served] = log.lines.filter((line) => line.includes("after a gap"));
  assert.match(
    served,
    /gap: 1; not yet restored: 1 that cannot be read, 1 that need a key or an upgrade\./,
  );
});

Deno.test("what a power loss takes between the note and the plugin, or right after it, is delivered again", async () => {
  for (const [moment, calls] of [["newest.supersedes", 1], ["newest.noteDelivered", 2]] as const) {
    await using fleet = new Fleet();
    await fill(fleet, "a");
    let isArmed = true;
    const state = survivingState("web-2", fleet, (call) => {
      if (call !== moment || !isArmed) return;
      isArmed = false;
      throw new Error("power loss");
    });
    const web2 = withState(fleet, "web-2", {}, state);
    await using received = fleet.watch(web2);
    await assert.rejects(poll(fleet, received), /power loss/);
    assert.equal((await poll(fleet, received)).restored, 1);
    assert.equal(received.updates.length, calls);
    assert.equal((await poll(fleet, received)).applied, 0);
  }
});

Deno.test("a restore that is due stays due when the server is started again", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-2", fleet);
  const web1 = fleet.server("web-1"), web2 = withState(fleet, "web-2", {}, state);
  await fleet.publish(web1, "a");
  {
    await using received = fleet.watch(web2);
    await poll(fleet, received);
    await fleet.time.run(publish(web1, { url: urlOf("a"), content: "a2" }));
    await expire(fleet);
    await fleet.publish(web1, "b");
    const isDown = fleet.store.before("list", (prefix) => {
      if (prefix.startsWith("newest/")) throw new StoreUnavailableError("Cannot reach the store");
    });
    await assert.rejects(poll(fleet, received), StoreUnavailableError);
    isDown();
    assert.deepEqual(received.contents, ["a", "b"]);
    assert.equal(received.gaps.length, 1);
  }
  await web2.close();
  await using again = fleet.watch(withState(fleet, "web-2", {}, state));
  await poll(fleet, again);
  assert.deepEqual(again.contents, ["a2"]);
});

Deno.test("what is noted and lies in a gap is restored, although the newest update is known", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), web2 = withState(fleet, "web-2");
  await fleet.publish(web1, "first");
  let isAway = false;
  const contents: unknown[] = [];
  await using watcher = watch(web2, ({ content }) => {
    if (isAway) throw new BackendUnavailableError("The database is away");
    contents.push(content);
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  isAway = true;
  await fleet.publish(web1, "a");
  await assert.rejects(fleet.time.run(watcher.poll()), BackendUnavailableError);
  assert.ok(web2.parts!.state.newest.get(urlOf("a")));
  await expire(fleet);
  await fleet.publish(web1, "b");
  isAway = false;
  const report = await fleet.time.run(watcher.poll());
  assert.deepEqual(contents.sort(), ["a", "b", "first"]);
  assert.equal(report.gaps, 1);
  assert.equal(report.restored, 1);
});

Deno.test("a plugin whose backend is down while feeds are restored gets them all when it is back", async () => {
  await using fleet = new Fleet();
  await fill(fleet, ...texts("feed", 40));
  let calls = 0;
  const applied = new Set<string>();
  await using watcher = watch(withState(fleet, "web-2"), ({ url }) => {
    if (++calls > 10 && calls < 30) throw new BackendUnavailableError("The database is away");
    applied.add(url);
  }, { manual: true });
  while (applied.size < 40) {
    await fleet.time.run(watcher.poll()).catch((error) => {
      assert.ok(error instanceof BackendUnavailableError, `${error}`);
    });
  }
  assert.equal((await fleet.time.run(watcher.poll())).applied, 0);
});

Deno.test("what is encrypted with a key that is missing is restored as soon as the key is there", async () => {
  await using keys = await Keys.make();
  await using mine = await keys.copy();
  const added = await keys.add();
  await fleetWith(async (fleet) => {
    using log = captureLog();
    const envelope = await keys.envelope();
    const web1 = fleet.server("web-1", { envelope });
    await fleet.publish(web1, "a");
    await fleet.time.hold(() => expire(fleet, envelope));
    await keys.putFirst(added);
    await fleet.publish(web1, "b");
    await fleet.time.hold(() => expire(fleet, envelope));
    const web2 = withState(fleet, "web-2", { envelope: await mine.envelope() });
    await using received = fleet.watch(web2);
    const { unreadable } = await poll(fleet, received);
    assert.deepEqual(received.contents, ["a"]);
    assert.ok(unreadable[0] instanceof MissingKeyError);
    assert.equal(log.lines.filter((line) => line.startsWith("error")).length, 1);
    await mine.replaceBy(keys);
    assert.deepEqual((await poll(fleet, received)).unreadable, []);
    assert.deepEqual(received.contents, ["a", "b"]);
  });
});

Deno.test("a watcher that runs notices that the key is there, without listing everything before", async () => {
  await using keys = await Keys.make();
  await using mine = await keys.copy();
  const added = await keys.add();
  await keys.putFirst(added);
  await fleetWith(async (fleet) => {
    const envelope = await keys.envelope();
    await fleet.publish(fleet.server("web-1", { envelope }), "a");
    await fleet.time.hold(() => expire(fleet, envelope));
    const config = { envelope: await mine.envelope(), poll: { min: "1s", max: "1s" } };
    const contents: unknown[] = [];
    await using watcher = watch(
      withState(fleet, "web-2", config),
      ({ content }) => void contents.push(content),
    );
    let listings = 0;
    fleet.store.before("list", (prefix) => void (prefix === "newest/" && listings++));
    await fleet.time.pass(10 * MINUTE);
    assert.ok(listings < 25, `${listings} listings`);
    const before = listings;
    await mine.replaceBy(keys);
    await fleet.time.pass(4_000);
    assert.deepEqual(contents, ["a"]);
    assert.equal(listings, before + 2);
    await fleet.time.run(watcher.complete);
  });
});

Deno.test("garbage with a greater key hides nothing, and is told until it is gone", async () => {
  await using fleet = new Fleet();
  await fill(fleet, "a");
  const [key] = fleet.keys("newest/");
  const forged = key.replace(
    /\d{16}\./,
    (time) => `${String(Number(time) + 1000).padStart(16, "0")}.`,
  );
  await fleet.store.put(forged, new TextEncoder().encode("garbage"));
  const web2 = withState(fleet, "web-2"), { restoring } = web2.parts!.state;
  await using received = fleet.watch(web2);
  const report = await poll(fleet, received);
  assert.deepEqual(received.contents, ["a"]);
  assert.ok(report.unreadable[0] instanceof CorruptObjectError);
  assert.ok(restoring.isDue());
  fleet.store.objects.delete(forged);
  assert.deepEqual((await poll(fleet, received)).unreadable, []);
  assert.deepEqual(received.contents, ["a"]);
  assert.ok(!restoring.isDue());
});

Deno.test("damaged objects are given up after the retention", async () => {
  await using fleet = new Fleet();
  await fleet.store.put(
    `newest/${"0".repeat(32)}/${
      String(fleet.time.clock.now()).padStart(16, "0")
    }.${crypto.randomUUID()}`,
    new TextEncoder().encode("garbage"),
  );
  const web2 = withState(fleet, "web-2", { retention: "1d" }), { state } = web2.parts!;
  await using received = fleet.watch(web2);
  assert.equal((await poll(fleet, received)).unreadable.length, 1);
  assert.ok(state.restoring.isDue());
  fleet.time.skip(DAY + MINUTE);
  await poll(fleet, received);
  assert.ok(!state.restoring.isDue());
});

Deno.test("an update that a GET does not find is restored later, and one that was swept in favour of a newer one at once", async () => {
  await using fleet = new Fleet();
  await fill(fleet, "a");
  const [key] = fleet.keys("newest/");
  fleet.store.hidden.set(key, 1);
  const web2 = withState(fleet, "web-2");
  await using received = fleet.watch(web2);
  assert.equal((await poll(fleet, received)).unreadable.length, 1);
  await poll(fleet, received);
  assert.deepEqual(received.contents, ["a"]);

  fleet.time.skip(DAY);
  await fleet.time.run(publish(fleet.server("web-3"), { url: urlOf("a"), content: "a2" }));
  await expire(fleet);
  fleet.time.skip(1000);
  await fleet.time.run(publish(fleet.server("web-4"), { url: urlOf("a"), content: "a3" }));
  const [tail] = fleet.keys("tail/");
  const [a3] = fleet.read(tail);
  fleet.store.objects.delete(tail);
  const [, swept] = fleet.keys("newest/");
  fleet.store.before("get", async (asked) => {
    if (asked !== swept) return;
    await logOf(fleet).newest.write({ ...a3, stream: "web-4_aaaaaaaa" });
    fleet.store.objects.delete(swept);
  });
  assert.deepEqual((await poll(fleet, received)).unreadable, []);
  assert.deepEqual(received.contents, ["a", "a3"]);
});

Deno.test("that a feed is gone is delivered where the feed is known, and only noted where it is not", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), web2 = withState(fleet, "web-2");
  await using received = fleet.watch(web2);
  await fleet.publish(web1, "known");
  await poll(fleet, received);
  await fleet.publish(web1, "unknown");
  for (const feed of ["known", "unknown"]) {
    await fleet.time.run(publish(web1, { url: urlOf(feed), removed: true }));
  }
  await expire(fleet);
  fleet.time.skip(DAY);
  await poll(fleet, received);
  assert.deepEqual(received.updates.slice(1).map(({ url, removed }) => [url, removed]), [
    [urlOf("known"), true],
  ]);
  assert.equal(web2.parts!.state.newest.get(urlOf("unknown"))?.hash, null);
  fleet.time.skip(DAY);
  const { get } = fleet.store.requests;
  await poll(fleet, received);
  assert.equal(fleet.store.requests.get, get);
});

Deno.test("a server that lost its state gets its own feeds, and later not what it publishes", async () => {
  await using fleet = new Fleet();
  await fill(fleet, "mine");
  const web1 = withState(fleet, "web-1", { includeOwn: false });
  await using received = fleet.watch(web1);
  await poll(fleet, received);
  assert.deepEqual(received.contents, ["mine"]);
  await fleet.publish(web1, "own");
  await expire(fleet);
  fleet.time.skip(DAY);
  assert.equal((await poll(fleet, received)).applied, 0);
});

Deno.test("a listing that lacks something at the first start loses nothing", async () => {
  await using fleet = new Fleet();
  await fill(fleet, ...texts("feed", 10));
  const missing = fleet.keys("newest/").slice(0, 3);
  let listings = 0;
  fleet.store.before("list", (prefix) => void (prefix === "newest/" && listings++));
  fleet.store.lacks = (key) => listings < 2 && missing.includes(key);
  await using received = fleet.watch(withState(fleet, "web-2"));
  assert.equal((await poll(fleet, received)).restored, 10);
});

Deno.test("a first start waits for listings that may lag, and for no others", async () => {
  await using fleet = new Fleet();
  await fill(fleet, "a", "b");
  for (const [listsAtOnce, takesMs] of [[false, MAX_LISTING_LAG_MS], [true, 0]] as const) {
    fleet.store.listsAtOnce = listsAtOnce;
    await using received = fleet.watch(withState(fleet, `web-${takesMs}`));
    const before = fleet.time.clock.elapsed();
    assert.equal((await poll(fleet, received)).restored, 2);
    assert.equal(fleet.time.clock.elapsed() - before, takesMs);
  }
});

Deno.test("a stream that came and went while nobody looked is missed by nobody", async () => {
  await using fleet = new Fleet();
  await using received = fleet.watch(withState(fleet, "web-2"));
  await fleet.publish(fleet.server("web-1"), "a");
  await poll(fleet, received);
  fleet.time.skip(11 * MINUTE);
  await fleet.publish(fleet.server("web-3"), "b");
  await expire(fleet);
  assert.equal((await poll(fleet, received)).restored, 1);
  assert.deepEqual(received.contents, ["a", "b"]);
  assert.deepEqual(received.gaps, []);
});

Deno.test("a server that has everything restores with a listing, and one that polls not at all", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(withState(fleet, "web-2"));
  await fleet.publish(web1, ...texts("feed", 30));
  await poll(fleet, received);
  await expire(fleet);
  const requests = () => ({ ...fleet.store.requests });
  let before = requests();
  fleet.time.skip(5 * MINUTE);
  await poll(fleet, received);
  assert.deepEqual(requests(), { ...before, list: before.list + 1 });
  fleet.time.skip(DAY);
  before = requests();
  await poll(fleet, received);
  assert.deepEqual(requests(), { ...before, list: before.list + 2 });
  assert.equal(received.updates.length, 30);
});

Deno.test("updates of other feeds arrive at once while feeds are restored for minutes", async () => {
  await using fleet = new Fleet();
  await fill(fleet, ...texts("feed", 60));
  const { time } = fleet, web1 = fleet.server("web-1");
  await fleet.publish(web1, "live0"); // The first time, it reads in newest/, too.
  const web2 = withState(fleet, "web-2", { poll: { min: "200ms", max: "200ms" } });
  fleet.store.before("get", (key) => {
    if (!key.startsWith("newest/")) return;
    return new Promise<void>((resolve) => void time.clock.setTimer(30_000, resolve));
  });
  const arrived = new Map<string, number>();
  await using watcher = watch(web2, ({ url }) => void arrived.set(url, time.clock.now()));
  await time.pass(10_000);
  for (const content of texts("live", 5)) {
    const begun = time.clock.now();
    await fleet.publish(web1, content);
    await time.pass(1_000);
    assert.ok(arrived.get(urlOf(content))! - begun <= 1_000);
    assert.ok(arrived.size < 61);
  }
  await time.run(watcher.complete);
  assert.equal(arrived.size, 66);
});

Deno.test("a server that begins now restores only what is younger than that", async () => {
  await using fleet = new Fleet();
  await fill(fleet, "old");
  fleet.time.skip(MINUTE);
  await using received = fleet.watch(withState(fleet, "web-2", { from: "now" }));
  await poll(fleet, received);
  assert.deepEqual(received.contents, []);
  fleet.time.skip(DAY);
  await fill(fleet, "new");
  assert.equal((await poll(fleet, received)).restored, 1);
  assert.deepEqual(received.contents, ["new"]);
});

Deno.test("an update that fails when it is restored and again in the log is one dead letter", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a");
  const [key] = fleet.keys("tail/"), object = fleet.store.objects.get(key)!;
  await expire(fleet);
  const web2 = withState(fleet, "web-2");
  const calls: Update[] = [];
  await using watcher = watch(web2, (update) => {
    calls.push(update);
    throw new RejectedUpdateError("I do not want it");
  }, { manual: true });
  assert.equal((await fleet.time.run(watcher.poll())).failed, 1);
  fleet.store.objects.set(key, object);
  assert.equal((await fleet.time.run(watcher.poll())).failed, 1);
  assert.deepEqual(calls.map(({ restored }) => restored), [true, undefined]);
  assert.equal(web2.parts!.state.deadLetters.count(), 1);
});

Deno.test("a state in memory restores nothing by itself", async () => {
  await using fleet = new Fleet();
  await fill(fleet, "a");
  await using received = fleet.watch(fleet.server("web-2"));
  assert.equal((await poll(fleet, received)).applied, 0);
  fleet.time.skip(DAY);
  assert.equal((await poll(fleet, received)).applied, 0);
});

Deno.test("of several polls that wait for a restore, one restores for reasons that came meanwhile", async () => {
  await using fleet = new Fleet();
  await fill(fleet, ...texts("a", 3));
  const web2 = withState(fleet, "web-2"), { state } = web2.parts!;
  await using received = fleet.watch(web2);
  let restores = 0;
  fleet.store.before("list", (prefix) => {
    if (prefix !== "newest/") return;
    if (++restores === 1) state.restoring.require();
  });
  await fleet.time.run(Promise.all(texts("", 4).map(() => received.watcher.poll())));
  assert.equal(restores, 3, "two of the first restore, one of the second");
});

Deno.test("what was restored is not restored again while a newer update waits for its turn in the log", async () => {
  await using fleet = new Fleet();
  const { time } = fleet, web1 = fleet.server("web-1");
  await fill(fleet, "a");
  const calls: unknown[] = [];
  await using watcher = watch(withState(fleet, "web-2"), async ({ content }) => {
    calls.push(content);
    if (content === "slow") {
      await new Promise<void>((done) => void time.clock.setTimer(5_000, done));
    }
  }, { manual: true });
  const polled = watcher.poll();
  await time.pass(MAX_LISTING_LAG_MS / 2);
  const a2 = { url: urlOf("a"), content: "a2" };
  await time.run(publish(web1, [{ url: urlOf("slow"), content: "slow" }, a2]));
  // Only this wake-up tells of the commit before `newest/` is listed for the second time.
  (watcher as BucketWatcher).hear(parseKey(fleet.keys("tail/")[0])!);
  await time.run(polled);
  assert.deepEqual(calls, ["a", "slow", "a2"]);
});

Deno.test("what a wake-up alone told of, and was begun, is a gap once it is gone", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), state = survivingState("web-2", fleet);
  await fleet.publish(web1, "first");
  {
    const web2 = withState(fleet, "web-2", {}, state);
    let isAway = false;
    await using watcher = watch(web2, () => {
      if (isAway) throw new BackendUnavailableError("The database is away");
    }, { manual: true });
    await fleet.time.run(watcher.poll());
    isAway = true;
    await fleet.publish(web1, "a");
    (watcher as BucketWatcher).hear(parseKey(fleet.keys("tail/").at(-1)!)!);
    await fleet.time.pass(MINUTE);
    await web2.close();
  }
  await expire(fleet);
  await using received = fleet.watch(withState(fleet, "web-2", {}, state));
  await poll(fleet, received);
  assert.deepEqual(received.gaps, [{ stream: web1.stream, first: 2, last: 2 }]);
  assert.deepEqual(received.contents, ["a"]);
});

Deno.test("what the log has of older updates comes as superseded after the restored one", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), web3 = fleet.server("web-3");
  await fleet.publish(web1, "a");
  const [key] = fleet.keys("tail/"), object = fleet.store.objects.get(key)!;
  fleet.store.objects.delete(key);
  fleet.time.skip(1000);
  await fleet.time.run(publish(web3, { url: urlOf("a"), content: "a2" }));
  await expire(fleet);
  await using received = fleet.watch(withState(fleet, "web-2"));
  await poll(fleet, received);
  fleet.store.objects.set(key, object);
  await poll(fleet, received);
  assert.deepEqual(received.updates.map(({ content, superseded }) => [content, superseded]), [
    ["a2", false],
    ["a", true],
  ]);
});

Deno.test("a watcher tells how far it is, and when everything is there", async () => {
  await using fleet = new Fleet();
  await fill(fleet, ...texts("feed", 12));
  await fleet.publish(fleet.server("web-1"), "in the log");
  const progress: RestoreProgress[] = [], contents = new Set<unknown>();
  const web2 = withState(fleet, "web-2");
  await using watcher = watch(web2, ({ content }) => void contents.add(content), {
    onProgress: (now) => void progress.push(now),
  });
  await fleet.time.run(watcher.complete);
  assert.equal(contents.size, 13);
  assert.deepEqual(progress[0], { restored: 0, total: 12 });
  assert.deepEqual(progress.at(-1), { restored: 12, total: 12 });
  await fleet.time.run(watcher.close());
  await using other = watch(withState(fleet, "web-3"), () => {}, { manual: true });
  const { complete } = other;
  await other.close();
  await assert.rejects(complete, /it is closed/);
});

Deno.test("a store that refuses to list what is kept for good is told, and the log is applied", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a");
  const isDown = fleet.store.before("list", (prefix) => {
    if (prefix === "newest/") return failing(new StoreUnavailableError("away"))(prefix, undefined);
  });
  await using received = fleet.watch(withState(fleet, "web-2"));
  await assert.rejects(poll(fleet, received), StoreUnavailableError);
  assert.deepEqual(received.contents, ["a"]);
  isDown();
  await poll(fleet, received);
});

async function fleetWith(work: (fleet: Fleet) => Promise<void>): Promise<void> {
  await using fleet = new Fleet();
  await work(fleet);
}
