import assert from "node:assert/strict";
import { AccessDeniedError, StoreUnavailableError } from "../../lib/errors.ts";
import { cleanup } from "../../lib/cleanup.ts";
import type { Connection } from "../../lib/connection.ts";
import { decodeNewest } from "../../lib/log/newest/body.ts";
import { parseNewestKey } from "../../lib/log/newest/names.ts";
import { publish } from "../../lib/publish.ts";
import { cleanUp, type CleanUpOptions, problemsOf } from "../../lib/retention/clean_up.ts";
import { failing } from "../memory_store.ts";
import { Fleet, texts, urlOf } from "../fixture.ts";

const HOUR = 60 * 60 * 1000, DAY = 24 * HOUR;
const STREAM = "web-1_abcdefgh";

/** A cleanup as a running server makes it, with what it counts of requests. */
async function clean(fleet: Fleet, options: Partial<CleanUpOptions> = {}, server?: Connection) {
  const before = { ...fleet.store.requests };
  const known = server && ((url: string) => server.parts!.state.newest.get(url));
  const problems = problemsOf(fleet.time);
  const report = await fleet.time.run(
    cleanUp(fleet.log, { maxAge: DAY, known, problems, ...options }),
  );
  const { put, get, list, delete: deletes } = fleet.store.requests;
  const requests = [
    put - before.put,
    get - before.get,
    list - before.list,
    deletes - before.delete,
  ];
  return { report, requests };
}

/** What is kept for good, as it is stored. */
function kept({ store }: Fleet) {
  return [...store.objects].flatMap(([key, { body }]) => {
    const name = parseNewestKey(key);
    return name ? [decodeNewest(name, body)] : [];
  });
}

function contents(fleet: Fleet): unknown[] {
  return kept(fleet).map(({ content }) => content).sort();
}

Deno.test("what is still the newest of its feed when it expires is kept for good, a removal, too", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const url = urlOf("gone");
  await fleet.publish(web1, "a", "b");
  await fleet.time.run(publish(web1, { url, content: "here" }));
  await fleet.time.run(publish(web1, { url, removed: true, metadata: { by: "me" } }));
  const published = fleet.keys("tail/").flatMap((key) => fleet.read(key));
  fleet.time.skip(3 * DAY);
  const { carried, deleted, swept } = await cleanup(web1, {});
  assert.deepEqual([carried, deleted, swept], [3, 4, 0]);
  assert.deepEqual(fleet.keys("tail/"), []);
  const newest = published.filter(({ content }) => content !== "here")
    .map((update) => ({ ...update, stream: web1.stream }));
  assert.deepEqual(new Set(kept(fleet)), new Set(newest), "as it was published");
  assert.equal(fleet.keys("newest/").filter((key) => key.endsWith(".removed")).length, 1);
});

Deno.test("a segment of which all is superseded costs one GET and one DELETE", async () => {
  await using fleet = new Fleet();
  const web2 = fleet.server("web-2");
  const segment = (first: number) =>
    fleet.forge(
      { kind: "segments", stream: STREAM, first, last: first + 9 },
      String,
      (seq) => urlOf(String(seq % 10)),
    );
  await segment(1);
  fleet.time.skip(23 * HOUR);
  await segment(11);
  await using received = fleet.watch(web2);
  await fleet.forge({ kind: "tail", stream: STREAM, first: 21, last: 21 }, String);
  await fleet.time.run(received.watcher.poll());
  fleet.time.skip(2 * HOUR);
  const { report, requests } = await clean(fleet, {}, web2);
  assert.deepEqual([report.deleted, report.carried], [1, 0]);
  assert.deepEqual(requests, [0, 1, 2, 1], "PUT, GET, LIST, DELETE");
});

Deno.test("that something newer is known proves nothing: where its object is gone, the older one is kept", async () => {
  await using fleet = new Fleet();
  const web2 = fleet.server("web-2");
  const url = () => urlOf("feed");
  await fleet.forge({ kind: "segments", stream: STREAM, first: 1, last: 1 }, () => "old", url);
  fleet.time.skip(23 * HOUR);
  const young = await fleet.forge(
    { kind: "tail", stream: STREAM, first: 2, last: 2 },
    () => "new",
    url,
  );
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["old", "new"]);
  fleet.time.skip(2 * HOUR);
  fleet.store.objects.delete(young); // The bucket was emptied, or cleaned by who does not carry.
  const { report } = await clean(fleet, {}, web2);
  assert.deepEqual([report.deleted, report.carried, contents(fleet)], [1, 1, ["old"]]);
});

Deno.test("what goes in the same run proves nothing, and of what goes only the newest is kept", async () => {
  await using fleet = new Fleet();
  const web2 = fleet.server("web-2");
  for (const seq of [1, 2, 3]) {
    await fleet.forge(
      { kind: "segments", stream: STREAM, first: seq, last: seq },
      String,
      () => urlOf("feed"),
    );
    fleet.time.skip(1000);
  }
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  fleet.time.skip(2 * DAY);
  const { report, requests } = await clean(fleet, {}, web2);
  assert.deepEqual([report.deleted, report.carried, contents(fleet)], [3, 1, ["3"]]);
  assert.deepEqual(requests, [1, 3, 3, 1], "one PUT, three GETs, a LIST of its group");
});

Deno.test("newer is the later time, not what comes later", async () => {
  await using fleet = new Fleet();
  const put = (seq: number, stream = STREAM) =>
    fleet.forge(
      { kind: "segments", stream, first: seq, last: seq },
      () => `${stream} ${seq}`,
      () => urlOf("feed"),
    );
  await put(1);
  fleet.time.skip(-1000);
  await put(2);
  await put(1, "web-2_abcdefgh");
  fleet.time.skip(2 * DAY);
  const { report } = await clean(fleet);
  assert.deepEqual([report.deleted, report.carried, contents(fleet)], [3, 1, [`${STREAM} 1`]]);
});

Deno.test("an update is not superseded by one that is to go as well, and then cannot be read", async () => {
  await using fleet = new Fleet();
  const web3 = fleet.server("web-3");
  const put = (stream: string, content: string) =>
    fleet.forge({ kind: "segments", stream, first: 1, last: 1 }, () => content, () => urlOf("f"));
  await put("web-1_abcdefgh", "old");
  fleet.time.skip(1000);
  const newer = await put("web-2_abcdefgh", "new");
  await using received = fleet.watch(web3);
  await fleet.time.run(received.watcher.poll());
  fleet.time.skip(2 * DAY);
  fleet.store.hidden.set(newer, 1);
  const { report } = await clean(fleet, {}, web3);
  assert.deepEqual([report.deleted, contents(fleet)], [1, ["old"]]);
  assert.deepEqual((await clean(fleet, {}, web3)).report.swept, 1);
  assert.deepEqual(contents(fleet), ["new"]);
});

Deno.test("of two streams, the newer update may be carried first, or last", async () => {
  for (
    const [one, other] of [["web-1_abcdefgh", "web-2_abcdefgh"], [
      "web-2_abcdefgh",
      "web-1_abcdefgh",
    ]]
  ) {
    await using fleet = new Fleet();
    const put = (stream: string, content: string) =>
      fleet.forge({ kind: "segments", stream, first: 1, last: 1 }, () => content, () => urlOf("f"));
    await put(one, "old");
    fleet.time.skip(1000);
    await put(other, "new");
    fleet.time.skip(2 * DAY);
    await clean(fleet);
    assert.deepEqual(contents(fleet), ["new"]);
    assert.equal(fleet.keys().length, 1);
  }
});

Deno.test("who knows nothing carries everything, which is swept", async () => {
  await using fleet = new Fleet();
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.forge(
    { kind: "segments", stream: STREAM, first: 1, last: 3 },
    String,
    () => urlOf("f"),
  );
  await fleet.time.run(received.watcher.poll());
  fleet.time.skip(23 * HOUR);
  await fleet.forge(
    { kind: "segments", stream: STREAM, first: 4, last: 4 },
    String,
    () => urlOf("f"),
  );
  fleet.time.skip(2 * HOUR);
  assert.equal((await clean(fleet)).report.carried, 1);
  fleet.time.skip(DAY);
  const { carried, swept } = (await clean(fleet)).report;
  assert.deepEqual([carried, swept, contents(fleet)], [1, 1, ["4"]]);
});

Deno.test("a PUT that fails ends the cleanup of its stream, and of no other", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await fleet.publish(web1, "a1", "a2");
  await fleet.publish(web2, "b1", "b2");
  fleet.time.skip(3 * DAY);
  const hash = await fleet.log.newest.hashOf(urlOf("a2"));
  const error = new StoreUnavailableError("full");
  const end = fleet.store.before("put", (key) => key.includes(hash) && Promise.reject(error));
  const { report } = await clean(fleet);
  assert.deepEqual([report.deleted, report.failed, report.error], [2, 2, error]);
  assert.equal(fleet.keys("tail/web-1").length, 2);
  end();
  assert.equal((await clean(fleet)).report.deleted, 2);
  assert.deepEqual(contents(fleet), ["a1", "a2", "b1", "b2"]);
});

Deno.test("a PUT that happened although it failed is repeated, and does no harm", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a");
  fleet.time.skip(3 * DAY);
  fleet.store.after("put", failing(new StoreUnavailableError("no answer")), { times: 1 });
  assert.equal((await clean(fleet)).report.deleted, 0);
  const keys = fleet.keys("newest/");
  assert.equal((await clean(fleet)).report.deleted, 1);
  assert.deepEqual(fleet.keys(), keys);
});

Deno.test("an object that a GET does not find stays, with what comes after it; what is before it goes", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, ...texts("a", 3));
  fleet.time.skip(3 * DAY);
  const [, second, third] = fleet.keys("tail/");
  fleet.store.hidden.set(second, 1);
  const { deleted, carried, failed } = (await clean(fleet)).report;
  assert.deepEqual([deleted, carried, failed], [1, 1, 0]);
  assert.deepEqual(fleet.keys("tail/"), [second, third]);
  assert.equal((await clean(fleet)).report.deleted, 2);
  assert.deepEqual(contents(fleet), texts("a", 3));
});

Deno.test("without the right to read or to write, nothing of a stream is deleted, and it is told", async () => {
  for (const operation of ["get", "put"] as const) {
    await using fleet = new Fleet();
    await fleet.publish(fleet.server("web-1"), "a", "b");
    fleet.time.skip(3 * DAY);
    fleet.store.before(operation, failing(new AccessDeniedError(`no ${operation}`)));
    const { deleted, kept, failed, error } = (await clean(fleet)).report;
    assert.deepEqual([deleted, kept, failed], [0, 0, 2]);
    assert.match(error!.message, new RegExp(`no ${operation}`));
    assert.equal(fleet.keys("tail/").length, 2);
  }
});

Deno.test("a cleanup that ends between carrying and deleting is repeated by the next one", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a", "b");
  fleet.time.skip(3 * DAY);
  const stop = new AbortController();
  fleet.store.before("delete", () => stop.abort(new Error("ended")), { times: 1 });
  fleet.store.before("delete", failing(new Error("ended")), { times: 2 });
  await clean(fleet, { signal: stop.signal }).catch(() => {});
  assert.deepEqual([fleet.keys("tail/").length, contents(fleet)], [2, ["a", "b"]]);
  const { deleted, carried } = (await clean(fleet)).report;
  assert.deepEqual([deleted, carried, contents(fleet)], [2, 2, ["a", "b"]]);
});

Deno.test("two cleanups at once keep the newest, and delete the rest", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  for (const content of texts("a", 5)) {
    await fleet.time.run(publish(web1, { url: urlOf("f"), content }));
    fleet.time.skip(1000);
  }
  fleet.time.skip(3 * DAY);
  const other = fleet.server("web-2");
  await fleet.time.run(Promise.all([cleanup(web1, {}), cleanup(other, {})]));
  await cleanup(web1, {});
  assert.deepEqual([fleet.keys("tail/"), contents(fleet)], [[], ["a5"]]);
});

Deno.test("where a listing lags, more is carried than is needed, and nothing is lost", async () => {
  await using fleet = new Fleet();
  const web2 = fleet.server("web-2");
  const put = (seq: number) =>
    fleet.forge(
      { kind: "segments", stream: STREAM, first: seq, last: seq },
      String,
      () => urlOf("f"),
    );
  await put(1);
  fleet.time.skip(23 * HOUR);
  const young = await put(2);
  await using received = fleet.watch(web2);
  await fleet.forge({ kind: "tail", stream: STREAM, first: 3, last: 3 }, String);
  await fleet.time.run(received.watcher.poll());
  fleet.time.skip(2 * HOUR);
  fleet.store.unlisted.add(young);
  assert.equal((await clean(fleet, {}, web2)).report.carried, 1);
  assert.deepEqual(contents(fleet), ["1"]);
});

Deno.test("a time more than a day ahead of its object is never carried", async () => {
  await using fleet = new Fleet();
  fleet.time.skip(25 * HOUR);
  const key = await fleet.forge({ kind: "segments", stream: STREAM, first: 1, last: 1 }, String);
  const object = fleet.store.objects.get(key)!;
  fleet.store.objects.set(key, { ...object, lastModified: object.lastModified - 25 * HOUR });
  fleet.time.skip(DAY);
  const { deleted, carried } = (await clean(fleet)).report;
  assert.deepEqual([deleted, carried, fleet.keys()], [1, 0, []]);
});

Deno.test("a damaged object is read twice, and then deleted as it expires, which is told", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a", "b");
  fleet.time.skip(3 * DAY);
  const [key] = fleet.keys("tail/");
  const object = fleet.store.objects.get(key)!;
  fleet.store.objects.set(key, { ...object, body: new Uint8Array(9) });
  const reads: string[] = [];
  fleet.store.before("get", (read) => void reads.push(read));
  fleet.store.after("get", () => void fleet.store.objects.set(key, object), { times: 1 });
  assert.equal((await clean(fleet)).report.carried, 2, "the second time it was well");
  assert.deepEqual(reads.filter((read) => read === key).length, 2);
});

Deno.test("with dryRun what would be carried is told, and nothing written", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a", "b");
  fleet.time.skip(3 * DAY);
  const before = fleet.keys(), { put } = fleet.store.requests;
  const { deleted, carried, newest } = await cleanup(web1, { dryRun: true });
  assert.deepEqual([deleted, carried, newest], [2, 2, { objects: 0, bytes: 0 }]);
  assert.deepEqual([fleet.keys(), fleet.store.requests.put], [before, put]);
});
