import assert from "node:assert/strict";
import { resolveConfig } from "../../../lib/config/resolve.ts";
import { Connection } from "../../../lib/connection.ts";
import { due } from "../../../lib/due.ts";
import { checked } from "../../../lib/checked.ts";
import { publish } from "../../../lib/publish.ts";
import { captureLog } from "../../encryption/keys.ts";
import { failing, hanging } from "../../memory_store.ts";
import { survivingState } from "../../fixture.ts";
import { StoreUnavailableError } from "../../../lib/errors.ts";
import { Applications, feedsOf, HOUR, MINUTE, reasons } from "./servers.ts";

const URL_A = "https://a.example.com/feed.xml", URL_B = "https://b.example.com/feed.xml";

Deno.test("a server that is alone fetches each feed once an interval", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), urls = feedsOf(20);
  for (let minute = 0; minute < 60; minute++) {
    await apps.round(web1, urls);
    await apps.fleet.time.pass(MINUTE);
  }
  assert.equal(apps.fetches.length, 80);
  const times = apps.fetches.filter(({ url }) => url === urls[0]).map(({ time }) => time);
  for (let index = 1; index < times.length; index++) {
    assert.ok(times[index] - times[index - 1] >= 13.5 * MINUTE);
  }
});

Deno.test("cron every 15 minutes does not skip each second turn", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), urls = feedsOf(20);
  for (let run = 0; run < 20; run++) {
    await apps.round(web1, urls);
    await apps.fleet.time.pass(15 * MINUTE);
  }
  const late = apps.fetches.filter(({ time }) => time >= apps.now - 10 * 15 * MINUTE);
  assert.equal(late.length, 200);
});

Deno.test("answers come in the order of the URLs, as they were asked, duplicates and all", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1");
  const asked = [
    "HTTPS://A.example.com:443/feed.xml#top",
    "no URL",
    URL_A,
    new URL("https://other.example.org/"),
    "gemini://example.net/",
    "https://example.com/ x",
  ];
  const turns = await apps.due(web1, asked);
  assert.deepEqual(turns.map(({ url }) => url), asked.map(String));
  assert.deepEqual(reasons(turns).sort(), [
    "due",
    "due",
    "invalid",
    "invalid",
    "invalid",
    "leased",
  ]);
  assert.deepEqual(reasons([turns[1], turns[3], turns[4]]), ["invalid", "due", "invalid"]);
  assert.match((turns[4] as { problem: string }).problem, /its scheme must be http or https/);
});

Deno.test("a feed that is handed out is leased for five minutes, and so is its domain", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1");
  const [first, second] = await apps.due(web1, [URL_A, URL_B]);
  assert.deepEqual(reasons([first, second]).sort(), ["due", "leased"]);
  const waiting = await apps.due(web1, [URL_A, URL_B, "https://example.org/"]);
  assert.deepEqual(reasons(waiting), ["leased", "leased", "due"]);
  assert.equal(
    (waiting[0] as { until: string }).until,
    new Date(apps.now + 5 * MINUTE).toISOString(),
  );
  await apps.fleet.time.pass(5 * MINUTE);
  assert.deepEqual(reasons(await apps.due(web1, [URL_A, URL_B])).sort(), ["due", "leased"]);
});

Deno.test("the next feed of a domain is handed out once the one before is checked", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), urls = [URL_A, URL_B];
  const [{ url }] = (await apps.due(web1, urls)).filter(({ due }) => due);
  await apps.checked(web1, url, { status: 304 });
  const turns = await apps.due(web1, urls);
  assert.deepEqual(reasons(turns).sort(), ["due", "fresh"]);
  assert.notEqual(turns.find(({ due }) => due)!.url, url);
});

Deno.test("an earlier lease of another feed does not free a domain that is leased", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), urls = [URL_A, URL_B];
  const [{ url: first }] = (await apps.due(web1, urls)).filter(({ due }) => due);
  await apps.fleet.time.pass(5 * MINUTE); // Nobody says what came of it.
  await apps.due(web1, [first === URL_A ? URL_B : URL_A]);
  const again = await apps.due(web1, [first], { every: "16m" }); // That changes the feed.
  assert.deepEqual(reasons(again), ["leased"]);
});

Deno.test("with a limit the most overdue feeds come first", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), urls = feedsOf(6);
  for (const url of urls) {
    await apps.due(web1, [url]);
    await apps.checked(web1, url, { status: 200 });
    await apps.fleet.time.pass(MINUTE);
  }
  await apps.fleet.time.pass(HOUR);
  const turns = await apps.due(web1, urls.toReversed(), { limit: 2 });
  assert.deepEqual(reasons(turns), ["limit", "limit", "limit", "limit", "due", "due"]);
  assert.deepEqual(reasons(await apps.due(web1, urls, { limit: 0 })).slice(0, 3), [
    "leased",
    "leased",
    "limit",
  ]);
});

Deno.test("options that are out of range are refused", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1");
  await assert.rejects(due(web1, [URL_A], { every: "999ms" }), /'every' must be at least "1s"/);
  await assert.rejects(due(web1, [URL_A], { every: "soon" }), RangeError);
  await assert.rejects(due(web1, [URL_A], { every: "1m", limit: -1 }), /'limit' must be/);
  await assert.rejects(due(web1, [URL_A], { every: "1m", limit: 1.5 }), RangeError);
  await assert.rejects(due(web1, [URL_A], { every: "1m", signal: AbortSignal.abort() }), {
    name: "AbortError",
  });
});

Deno.test("an update that another server has published shows that the feed was checked", async () => {
  await using apps = new Applications();
  const [web1, web2] = [apps.connect("web-1"), apps.connect("web-2")];
  await apps.fleet.time.run(publish(web2, { url: URL_A, content: "a" }));
  await using received = apps.fleet.watch(web1);
  await apps.fleet.time.run(received.watcher.poll());
  const [turn] = await apps.due(web1, [URL_A]);
  assert.ok(!turn.due && turn.reason === "fresh");
  await apps.fleet.time.pass(16 * MINUTE);
  assert.deepEqual(reasons(await apps.due(web1, [URL_A])), ["due"]);
});

Deno.test("a server that was never able to see the others says so, and one that was goes on", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1");
  const error = new StoreUnavailableError("no network");
  const heal = apps.fleet.store.before("list", failing(error));
  await assert.rejects(apps.due(web1, [URL_A]), StoreUnavailableError);
  heal();
  assert.deepEqual(reasons(await apps.due(web1, [URL_A])), ["due"]);
  await apps.checked(web1, URL_A, { status: 200 });
  apps.fleet.store.before("list", failing(error));
  apps.fleet.store.before("put", failing(error));
  await apps.fleet.time.pass(HOUR);
  using log = captureLog();
  assert.deepEqual(reasons(await apps.due(web1, [URL_A])), ["due"]);
  assert.ok(log.lines.some((line) => /^warn.*may be fetched twice: no network/.test(line)));
});

Deno.test("a server that writes no presence cannot take turns", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1", { presence: false });
  await assert.rejects(apps.due(web1, [URL_A]), /Cannot take turns: 'presence' is false/);
});

Deno.test("when feedsync is disabled, everything is due for everybody, once an interval", async () => {
  await using apps = new Applications();
  const { time: environment } = apps.fleet;
  const config = resolveConfig({ enabled: false, server: "web-1" });
  const off = new Connection(config, undefined, { environment });
  const asked = [URL_A, "x", URL_B, "https://c.example.com/"];
  const turns = await due(off, asked, { every: "15m", limit: 2 });
  assert.deepEqual(reasons(turns), ["due", "invalid", "due", "limit"]);
  assert.equal((await checked(off, URL_A, { status: 410 })).gone, true);
  await checked(off, URL_B, { status: 429, headers: { "Retry-After": "3600" } });
  const again = () => due(off, [URL_A, URL_B], { every: "15m" });
  assert.deepEqual(reasons(await again()), ["fresh", "fresh"]);
  apps.fleet.time.skip(15 * MINUTE);
  assert.deepEqual(reasons(await again()), ["due", "fresh"]);
});

Deno.test("a clock that was set back makes feeds due early rather than never", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1");
  await apps.due(web1, [URL_A]);
  await apps.checked(web1, URL_A, { status: 200 });
  apps.fleet.time.setBack(2 * HOUR);
  apps.fleet.store.clockOffset = 0;
  await apps.due(web1, [URL_B]);
  await apps.fleet.time.pass(2 * MINUTE);
  assert.ok(reasons(await apps.due(web1, [URL_A])).includes("due"));
});

Deno.test("times of a clock that was wrong do not keep a server from being seen", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), { state: { fleet } } = web1.parts!;
  await apps.due(web1, [URL_A]);
  const ahead = apps.now + 24 * HOUR;
  fleet.setPresence({ ...fleet.presence()!, written: [ahead], keptAt: ahead });
  fleet.setSeen({ ...fleet.seen()!, lookedAt: ahead });
  for (const key of apps.fleet.keys("present/")) apps.fleet.store.objects.delete(key);
  const { list } = apps.fleet.store.requests;
  await apps.fleet.time.pass(MINUTE);
  await apps.due(web1, [URL_A]);
  assert.equal(apps.fleet.keys("present/").length, 1);
  assert.equal(apps.fleet.store.requests.list, list + 1);
});

Deno.test("a state that survives goes on where it was", async () => {
  await using apps = new Applications();
  const state = survivingState("web-1", apps.fleet);
  const before = apps.connect("web-1", { state });
  await apps.due(before, [URL_A]);
  await apps.checked(before, URL_A, { status: 200, content: "a", headers: { ETag: '"1"' } });
  await apps.fleet.time.run(before.close());
  await apps.fleet.time.pass(5 * MINUTE);
  const after = apps.connect("web-1", { state });
  assert.deepEqual(reasons(await apps.due(after, [URL_A])), ["fresh"]);
  await apps.fleet.time.pass(11 * MINUTE);
  const [turn] = await apps.due(after, [URL_A]);
  assert.ok(turn.due);
  assert.deepEqual(turn.headers, { "If-None-Match": '"1"' });
});

Deno.test("a store that does not answer holds an ask up for five seconds, and later ones not at all", async () => {
  await using apps = new Applications();
  using _log = captureLog();
  const web1 = apps.connect("web-1"), urls = feedsOf(5);
  await apps.round(web1, urls);
  await apps.fleet.time.pass(20 * MINUTE);
  const answer = ["put", "get", "list"].map((operation) =>
    apps.fleet.store.before(operation as "put", hanging(new StoreUnavailableError("No answer")))
  );
  const waits: number[] = [];
  for (let ask = 0; ask < 3; ask++) {
    const begun = apps.now;
    const [turn] = await apps.due(web1, urls, { limit: 1 });
    assert.ok(turn.due || ask > 0);
    waits.push(apps.now - begun);
  }
  assert.deepEqual(waits, [5_000, 0, 0]);
  answer.forEach((restore) => restore());
  await apps.fleet.time.run(web1.close());
});
