import assert from "node:assert/strict";
import { SUFFIXES } from "../../../lib/fleet/turns/domain.ts";
import { turnsReport } from "../../../lib/fleet/turns/report.ts";
import { Applications, feedsOf, HOUR, MINUTE } from "./servers.ts";

Deno.test("a server says how many feeds it has, and which domains cannot keep up", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), parts = web1.parts!;
  assert.equal(turnsReport(parts), undefined);
  const slow = Array.from({ length: 5 }, (_, index) => `https://www.slow.com/${index}`);
  const urls = [...feedsOf(3), ...slow];
  const first = { feeds: 8, owned: 8, overdue: 0, slowDomains: [], suffixes: SUFFIXES };
  await apps.due(web1, urls, { limit: 0 });
  assert.deepEqual(turnsReport(parts), first);
  for (let minute = 0; minute < 40; minute++) {
    await apps.fleet.time.pass(MINUTE);
    for (const { url } of (await apps.due(web1, urls)).filter(({ due }) => due)) {
      if (!url.includes("slow") || minute < 2) await apps.checked(web1, url, { status: 200 });
    }
  }
  const report = turnsReport(parts)!;
  assert.equal(report.owned, 8);
  assert.ok(report.overdue >= 4 && report.overdue <= 5, String(report.overdue));
  assert.deepEqual(report.slowDomains, ["slow.com"]);
  await apps.fleet.time.pass(HOUR);
  assert.equal(turnsReport(parts), undefined, "the list was given up");
});

Deno.test("feeds of others are no feeds of this server that are overdue", async () => {
  await using apps = new Applications();
  const [web1, web2] = ["web-1", "web-2"].map((name) => apps.connect(name)), urls = feedsOf(20);
  for (let minute = 0; minute < 4; minute++) {
    for (const web of [web1, web2]) await apps.due(web, urls, { limit: 0 });
    await apps.fleet.time.pass(MINUTE);
  }
  const [one, two] = [turnsReport(web1.parts!)!, turnsReport(web2.parts!)!];
  assert.deepEqual([one.feeds, two.feeds, one.owned + two.owned], [20, 20, 20]);
});
