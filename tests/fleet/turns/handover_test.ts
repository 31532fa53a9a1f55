import assert from "node:assert/strict";
import { decodeChecks } from "../../../lib/log/fleet/checks.ts";
import { Handover } from "../../../lib/fleet/turns/handover.ts";
import { watch } from "../../../lib/watch.ts";
import { failing } from "../../memory_store.ts";
import { Applications, feedsOf, HOUR, MINUTE } from "./servers.ts";

const KEY = "checks/web-1/0000";

function written(apps: Applications) {
  const body = apps.fleet.store.objects.get(KEY)?.body;
  return body && decodeChecks("web-1", 0, body);
}

Deno.test("checks are written every five minutes, when something has changed", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), [a, b] = feedsOf(2);
  const handover = new Handover(web1.parts!, { server: "web-1" });
  await handover.writeIfDue({ force: true });
  assert.equal(written(apps), undefined, "nothing was checked");
  await apps.due(web1, [a, b]);
  await apps.checked(web1, a, { status: 200, content: "a", headers: { ETag: '"1"' } });
  await handover.writeIfDue();
  const hash = await apps.fleet.log.newest.hashOf(a);
  const first = written(apps)!;
  assert.deepEqual(
    first.feeds.map(({ feed, failures, validators }) => ({
      feed,
      failures,
      etag: validators?.etag,
    })),
    [{ feed: hash, failures: 0, etag: '"1"' }],
  );
  await apps.checked(web1, b, { status: 500 });
  await handover.writeIfDue();
  assert.equal(written(apps)!.feeds.length, 1, "five minutes have not passed");
  await handover.writeIfDue({ force: true });
  assert.equal(written(apps)!.feeds.length, 2);
  const { put } = apps.fleet.store.requests;
  await apps.fleet.time.pass(HOUR);
  await handover.writeIfDue({ force: true });
  assert.equal(apps.fleet.store.requests.put, put, "nothing has changed");
  await apps.checked(web1, b, { status: 200 });
  await handover.writeIfDue();
  assert.deepEqual(written(apps)!.feeds.length, 1, "what is older than twice its interval is gone");
});

Deno.test("checks that could not be written are written the next time", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), [a] = feedsOf(1);
  const handover = new Handover(web1.parts!, { server: "web-1" });
  await apps.due(web1, [a]);
  await apps.checked(web1, a, { status: 200 });
  apps.fleet.store.before("put", failing(new Error("no network")), { times: 1 });
  await assert.rejects(handover.writeIfDue(), /no network/);
  await handover.writeIfDue();
  assert.equal(written(apps)!.feeds.length, 1);
});

Deno.test("due writes checks as long as no watch does", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), urls = feedsOf(3);
  for (let minute = 0; minute < 7; minute++) {
    await apps.round(web1, urls);
    await apps.fleet.time.pass(MINUTE);
  }
  assert.equal(written(apps)!.feeds.length, 3);
});

Deno.test("watch writes checks every five minutes, and at its end", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), urls = feedsOf(3);
  const watcher = watch(web1, () => {});
  await apps.fleet.time.run(watcher.ready);
  for (let minute = 0; minute < 7; minute++) {
    await apps.round(web1, urls);
    await apps.fleet.time.pass(MINUTE);
  }
  assert.equal(written(apps)!.feeds.length, 3);
  const [, , c] = urls;
  await apps.checked(web1, c, { status: 500 });
  await apps.fleet.time.run(watcher.close());
  assert.equal(written(apps)!.feeds.filter(({ failures }) => failures > 0).length, 1);
});

Deno.test("only checks of the feeds that are taken over are taken over, and handed on", async () => {
  await using apps = new Applications();
  const web2 = apps.connect("web-2"), [a, b] = feedsOf(2);
  const hashOf = (url: string) => apps.fleet.log.newest.hashOf(url);
  await apps.due(web2, [a, b]);
  const check = { checkedAt: apps.now, notBefore: 0, failures: 3 };
  const feeds = [{ feed: await hashOf(a), ...check }, { feed: await hashOf(b), ...check }];
  await apps.fleet.log.fleet.writeChecks("web-1", { feeds, held: [] });
  const handover = new Handover(web2.parts!, { server: "web-2" });
  await handover.readFrom("web-1", { feeds: new Set([await hashOf(a)]) });
  const known = web2.parts!.state.turns.changedAfter(0);
  assert.deepEqual(known.map(({ url, failures }) => [url, failures]).sort(), [[a, 3], [b, 0]]);
});

Deno.test("what was read is older than what is known: it changes nothing", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), [a] = feedsOf(1);
  const handover = new Handover(web1.parts!, { server: "web-1" });
  await apps.due(web1, [a]);
  await apps.checked(web1, a, { status: 200, content: "a", headers: { ETag: '"1"' } });
  const feed = await apps.fleet.log.newest.hashOf(a);
  const check = { feed, notBefore: 0, failures: 7 };
  handover.apply({ feeds: [{ ...check, checkedAt: apps.now - 1 }], held: [] });
  assert.equal(web1.parts!.state.turns.changedAfter(0)[0].failures, 0);
  await apps.fleet.time.pass(1000);
  handover.apply({ feeds: [{ ...check, checkedAt: apps.now }], held: [] });
  const [row] = web1.parts!.state.turns.changedAfter(0);
  assert.deepEqual([row.failures, row.etag], [7, null]);
});
