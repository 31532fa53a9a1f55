import assert from "node:assert/strict";
import { Applications, feedsOf, MINUTE, reasons } from "./servers.ts";

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

Deno.test("servers share the feeds, and each is fetched once an interval", async () => {
  await using apps = new Applications();
  const urls = feedsOf(30);
  const servers = ["web-1", "web-2", "web-3"].map((name) => apps.connect(name));
  for (let minute = 0; minute < 35; minute++) {
    for (const server of servers) await apps.round(server, urls);
    await apps.fleet.time.pass(MINUTE);
  }
  const late = apps.fetches.filter(({ time }) => time > apps.now - 16 * MINUTE);
  assert.equal(new Set(late.map(({ server }) => server)).size, 3);
  assert.equal(new Set(late.map(({ url }) => url)).size, 30);
  assert.ok(apps.fetches.length <= 3 * 30, String(apps.fetches.length));
  const [first] = await apps.due(servers[0], urls);
  assert.ok(["owner", "fresh"].includes(reasons([first])[0]));
});
