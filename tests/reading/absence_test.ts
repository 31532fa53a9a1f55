/**
 * A GET that finds nothing is no proof that there is nothing: what listings show is not gone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ConfigError, MissingObjectError } from "../../lib/errors.ts";
import { parseKey } from "../../lib/log/names.ts";
import type { BucketWatcher } from "../../lib/reading/bucket_watcher.ts";
import { watch } from "../../lib/watch.ts";
import { captureLog } from "../encryption/keys.ts";
import { Fleet, survivingState, texts } from "../fixture.ts";
import { failing } from "../memory_store.ts";

const STREAM = "web-1_abcdefgh";
const MINUTE = 60_000, HOUR = 60 * MINUTE;

/** Two servers of which one has read `a1`; the other has published `a2` and `a3` since. */
async function begun(fleet: Fleet) {
  const web1 = fleet.server("web-1");
  const received = fleet.watch(fleet.server("web-2", { retention: "24h" }));
  await fleet.publish(web1, "a1");
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "a2", "a3");
  const { time, store } = fleet, [, second, third] = fleet.keys("tail/");
  return { web1, received, time, store, second, third, stream: web1.stream };
}

Deno.test("an object that one GET does not find, while it is listed, is fetched again at once", async () => {
  for (const misses of [1, 2, 3]) {
    await using fleet = new Fleet();
    const { received, time, store, second } = await begun(fleet);
    await using _ = received;
    store.hidden.set(second, misses);
    const report = await time.run(received.watcher.poll());
    assert.deepEqual(
      report,
      { applied: 2, restored: 0, failed: 0, gaps: 0, unreadable: [] },
      `${misses} misses`,
    );
    assert.deepEqual(received.contents, texts("a", 3));
  }
});

Deno.test("an object that GETs do not find for minutes, while it is listed, holds its stream only", async () => {
  await using fleet = new Fleet();
  const { received, time, store, second } = await begun(fleet);
  await using _ = received;
  await fleet.publish(fleet.server("web-3"), "b1");
  store.hidden.set(second, Infinity);
  using log = captureLog();
  for (let minute = 0; minute < 30; minute++) {
    const { gaps, unreadable } = await time.run(received.watcher.poll());
    assert.equal(gaps, 0);
    assert.ok(unreadable[0] instanceof MissingObjectError);
    assert.equal(
      unreadable[0].message,
      `Cannot read ${second}: listings show it, but the store says that there is no such object`,
    );
    time.skip(MINUTE);
  }
  assert.deepEqual(log.lines.filter((line) => line.includes(second)), [
    `warning: Cannot read ${second}: listings show it, but the store says that there is no such ` +
    "object; it holds up its stream, later polls try again",
  ]);
  assert.deepEqual(received.contents, ["a1", "b1"]);
  store.hidden.clear();
  await time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a1", "b1", "a2", "a3"]);
  assert.deepEqual(received.gaps, []);
});

Deno.test("a segment that GETs do not find, while it is listed, is no gap", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), ...texts("a", 30));
  const segments = fleet.keys("segments/");
  assert.ok(segments.length > 0);
  for (const key of segments) fleet.store.hidden.set(key, Infinity);
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, []);
  fleet.store.hidden.clear();
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, texts("a", 30));
  assert.deepEqual(received.gaps, []);
});

Deno.test("where each GET lags behind the listings, polls that come by themselves lose nothing", async () => {
  await using fleet = new Fleet();
  const { store, time: { clock } } = fleet;
  const web1 = fleet.server("web-1");
  const contents: unknown[] = [], gaps: unknown[] = [];
  const reader = fleet.server("web-2", { poll: "1s", retention: false });
  const onGap = (gap: unknown) => void gaps.push(gap);
  const watcher = watch(reader, ({ content }) => void contents.push(content), { onGap });
  await watcher.ready;
  await fleet.time.pass(5_000);
  for (const text of texts("a", 12)) {
    await fleet.publish(web1, text);
    for (const key of fleet.keys(`tail/${web1.stream}/`).slice(-1)) {
      store.hidden.set(key, Infinity);
      clock.setTimer(5_000, () => store.hidden.delete(key));
    }
    await fleet.time.pass(1_000);
  }
  await fleet.time.pass(2 * MINUTE);
  assert.deepEqual(contents, texts("a", 12));
  assert.deepEqual(gaps, []);
  await fleet.time.run(watcher.close());
});

Deno.test("with the marker, too, what is listed and not found is soon fetched again", async () => {
  await using fleet = new Fleet();
  const { store, time: { clock } } = fleet;
  const web1 = fleet.server("web-1", { wake: { marker: true } });
  await fleet.publish(web1, "a1");
  const contents: unknown[] = [];
  const reader = fleet.server("web-2", { poll: "10s", retention: false, wake: { marker: true } });
  const watcher = watch(reader, ({ content }) => void contents.push(content));
  await watcher.ready;
  await fleet.time.pass(30_000);
  await fleet.publish(web1, "a2");
  const [key] = fleet.keys("tail/").slice(-1);
  store.hidden.set(key, Infinity);
  clock.setTimer(30_000, () => store.hidden.delete(key));
  await fleet.time.pass(90_000);
  assert.deepEqual(contents, ["a1", "a2"]);
  await fleet.time.run(watcher.close());
});

Deno.test("a new state, from the beginning or from now, does not take a listed object for gone", async () => {
  for (const from of ["earliest", "now"] as const) {
    await using fleet = new Fleet();
    await fleet.forge({ kind: "segments", stream: STREAM, first: 5, last: 9 }, (seq) => `s${seq}`);
    await fleet.forge({ kind: "tail", stream: STREAM, first: 10, last: 10 }, (seq) => `s${seq}`);
    for (const key of fleet.keys()) fleet.store.hidden.set(key, 1);
    await using received = fleet.watch(fleet.server("web-2", { from }));
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, from === "now" ? [] : texts("s", 6, 5));
    assert.deepEqual(received.gaps, []);
  }
});

Deno.test("what listings show after it was deleted does not keep what has taken its place", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.publish(web1, "a1");
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, ...texts("a", 7, 2));
  const tail = [...fleet.store.objects].filter(([key]) => key.startsWith("tail/"));
  await fleet.publish(web1, ...texts("a", 4, 9));
  for (const [key, object] of tail) {
    if (!fleet.keys().includes(key)) fleet.store.stale.set(key, object);
  }
  assert.ok(fleet.store.stale.size > 4);
  const report = await fleet.time.run(received.watcher.poll());
  assert.deepEqual(report, { applied: 11, restored: 0, failed: 0, gaps: 0, unreadable: [] });
  assert.deepEqual(received.contents, texts("a", 12));
});

Deno.test("what expired while listings still show it is a gap once they do not", async () => {
  await using fleet = new Fleet();
  const { received, time, store, second, stream } = await begun(fleet);
  await using _ = received;
  store.stale.set(second, store.objects.get(second)!);
  store.objects.delete(second);
  const { unreadable } = await time.run(received.watcher.poll());
  assert.equal(unreadable.length, 1);
  assert.deepEqual(received.gaps, []);
  store.stale.clear();
  await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream, first: 2, last: 2 }]);
  assert.deepEqual(received.contents, ["a1", "a3"]);
});

Deno.test("what listings never cease to show after it was deleted is a gap after the retention", async () => {
  await using fleet = new Fleet();
  const { received, time, store, second, stream } = await begun(fleet);
  await using _ = received;
  store.stale.set(second, store.objects.get(second)!);
  store.objects.delete(second);
  await time.run(received.watcher.poll());
  time.skip(23 * HOUR);
  await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  time.skip(2 * HOUR);
  for (let poll = 0; poll < 3; poll++) await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream, first: 2, last: 2 }]);
  assert.deepEqual(received.contents, ["a1", "a3"]);
});

Deno.test("a clock that is set forward does not end the waiting", async () => {
  await using fleet = new Fleet();
  const { received, time, store, second } = await begun(fleet);
  await using _ = received;
  store.hidden.set(second, Infinity);
  await time.run(received.watcher.poll());
  time.setBack(-48 * HOUR);
  store.clockOffset = -48 * HOUR;
  await time.run(received.watcher.poll());
  store.hidden.clear();
  await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  assert.deepEqual(received.contents, texts("a", 3));
});

Deno.test("at the end of a stream, what is listed and not found waits, and costs few requests", async () => {
  await using fleet = new Fleet();
  const { received, time, store, second, third } = await begun(fleet);
  await using _ = received;
  for (const key of [second, third]) {
    store.stale.set(key, store.objects.get(key)!);
    store.objects.delete(key);
  }
  await time.run(received.watcher.poll());
  const { get, list } = store.requests;
  for (let poll = 0; poll < 3; poll++) await time.run(received.watcher.poll());
  assert.ok(store.requests.get - get <= 12, `${store.requests.get - get} GETs`);
  assert.ok(store.requests.list - list <= 9, `${store.requests.list - list} LISTs`);
  time.skip(50 * HOUR);
  await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
});

Deno.test("a gap ends where the next object is listed, not where the next one can be read", async () => {
  await using fleet = new Fleet();
  const { received, time, store, second, third, web1, stream } = await begun(fleet);
  await using _ = received;
  await fleet.publish(web1, "a4");
  store.objects.delete(second);
  store.hidden.set(third, Infinity);
  await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  store.hidden.clear();
  await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream, first: 2, last: 2 }]);
  assert.deepEqual(received.contents, ["a1", "a3", "a4"]);
});

/** The listings that are made from now on lack the key as `lacks` says, by their number. */
function flicker({ store }: Fleet, key: string, lacks: (listing: number) => boolean): void {
  const { list } = store.requests;
  store.lacks = (listed) => listed === key && lacks(store.requests.list - list);
}

Deno.test("what some listings show and others lack is no gap, however many lack it in a row", async () => {
  await using fleet = new Fleet();
  const { received, time, store, second } = await begun(fleet);
  await using _ = received;
  store.hidden.set(second, Infinity);
  flicker(fleet, second, (listing) => listing % 9 !== 1);
  for (let poll = 0; poll < 20; poll++) await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  store.hidden.clear();
  for (let poll = 0; poll < 9; poll++) await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  assert.deepEqual(received.contents, texts("a", 3));
});

Deno.test("behind a balancer, a replica that lags for 50 s loses nothing", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    await using fleet = new Fleet();
    const { received, time, store, second } = await begun(fleet);
    await using _ = received;
    let state = seed;
    const isStale = () => (state = (state * 1103515245 + 12345) % 2147483648) < 2147483648 / 2;
    const until = time.clock.now() + 50_000;
    const get = store.get.bind(store), list = store.list.bind(store);
    let isShown = false;
    store.get = (key) =>
      isStale() && key === second && time.clock.now() < until
        ? Promise.resolve(undefined)
        : get(key);
    store.list = async function* (...args) {
      const isLate = isShown && isStale() && time.clock.now() < until;
      isShown = true; // What no listing shows for two seconds is not known to be there.
      for await (const info of list(...args)) if (!isLate || info.key !== second) yield info;
    };
    for (let poll = 0; poll < 70; poll++) {
      await time.run(received.watcher.poll());
      time.skip(1000);
    }
    assert.deepEqual(received.gaps, [], `seed ${seed}`);
    assert.deepEqual(received.contents, texts("a", 3));
  }
});

Deno.test("a restart does not forget that a listing has shown what the next ones lack", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const state = survivingState("web-2", fleet);
  {
    await using received = fleet.watch(fleet.server("web-2", { state }));
    await fleet.publish(web1, "a1");
    await fleet.time.run(received.watcher.poll());
    await fleet.publish(web1, "a2", "a3");
    fleet.store.hidden.set(fleet.keys("tail/")[1], Infinity);
    await fleet.time.run(received.watcher.poll());
  }
  fleet.store.hidden.clear();
  const second = fleet.keys("tail/")[1];
  fleet.store.lacks = (key) => key === second;
  fleet.time.clock.setTimer(40_000, () => fleet.store.lacks = () => false);
  await using received = fleet.watch(fleet.server("web-2", { state }));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  assert.deepEqual(received.contents, ["a2", "a3"]);
});

Deno.test("what only a wake-up told of, while its stream was being read, is no gap after a few listings", async () => {
  await using fleet = new Fleet();
  const { received, time, store, second } = await begun(fleet);
  await using _ = received;
  store.lacks = (key) => key === second;
  time.clock.setTimer(1_500, () => (received.watcher as BucketWatcher).hear(parseKey(second)!));
  time.clock.setTimer(40_000, () => store.lacks = () => false);
  await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  assert.deepEqual(received.contents, texts("a", 3));
});

Deno.test("what one listing showed within a hole is no gap after a few that do not", async () => {
  await using fleet = new Fleet();
  const { web1, received, time, store, second, third } = await begun(fleet);
  await using _ = received;
  await fleet.publish(web1, "a4");
  store.lacks = (key) => key === second;
  time.clock.setTimer(500, () => store.lacks = (key) => key === second || key === third);
  time.clock.setTimer(40_000, () => store.lacks = () => false);
  await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, []);
  assert.deepEqual(received.contents, texts("a", 4));
});

Deno.test("what was listed and is gone for good is a gap after a minute, in a few listings", async () => {
  await using fleet = new Fleet();
  const { received, time, store, second, stream } = await begun(fleet);
  await using _ = received;
  store.hidden.set(second, Infinity);
  await time.run(received.watcher.poll());
  store.objects.delete(second);
  const { list } = store.requests, begin = time.clock.now();
  await time.run(received.watcher.poll());
  assert.deepEqual(received.gaps, [{ stream, first: 2, last: 2 }]);
  assert.ok(time.clock.now() - begin >= MINUTE);
  assert.ok(store.requests.list - list <= 30, `${store.requests.list - list} LISTs`);
});

Deno.test("a bucket that is out of sight for a moment is not taken for an empty one", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a1");
  const web2 = fleet.server("web-2");
  await using received = fleet.watch(web2);
  const { state } = web2.parts!;
  fleet.store.before("list", failing(new ConfigError("there is no such bucket")), { times: 1 });
  await assert.rejects(fleet.time.run(received.watcher.poll()), ConfigError);
  assert.equal(state.fact("lastPoll"), undefined);
  assert.equal(state.isRestored({ from: "earliest", heldAfter: 0 }), false);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a1"]);
});

Deno.test("a new state finds what was merged a moment ago, although listings lag", async () => {
  await using fleet = new Fleet();
  const { store, time: { clock } } = fleet;
  await fleet.publish(fleet.server("web-1"), ...texts("a", 9));
  await fleet.time.pass(30_000); // The first ones are only in a segment now.
  const begun = clock.elapsed();
  store.lacks = (key) => key.startsWith("segments/") && clock.elapsed() < begun + 3_000;
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, texts("a", 9));
});
