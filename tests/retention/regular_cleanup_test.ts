import assert from "node:assert/strict";
import type { Connection } from "../../lib/connection.ts";
import { RegularCleanup } from "../../lib/retention/regular_cleanup.ts";
import { Fleet } from "../fixture.ts";

const HOUR = 60 * 60 * 1000, DAY = 24 * HOUR;

/** How often a server cleans up in so many hours when the tail shows so many servers, and sweeps all. */
async function cleanupsIn(fleet: Fleet, server: Connection, hours: number) {
  const { state, log, environment } = server.parts!;
  await log.list();
  const regular = new RegularCleanup({ state, log, environment }, DAY);
  const listed = { "tail/": 0, "newest/": 0 };
  const count = (prefix: string) => {
    if (prefix in listed) listed[prefix as keyof typeof listed]++;
  };
  const end = fleet.store.before("list", count);
  for (let minutes = 0; minutes < hours * 60; minutes += 5) {
    await regular.runIfDue(new AbortController().signal);
    fleet.time.skip(5 * 60_000);
  }
  end();
  return { cleanups: listed["tail/"], sweeps: listed["newest/"] };
}

Deno.test("a server alone cleans up hourly, soon after its start for the first time, and sweeps about daily", async () => {
  await using fleet = new Fleet();
  const { cleanups, sweeps } = await cleanupsIn(fleet, fleet.server("web-1"), 240);
  assert.ok(cleanups > 220 && cleanups < 260, `${cleanups}`);
  assert.ok(sweeps > 4 && sweeps < 20, `${sweeps} in ten days`);
  const first = await cleanupsIn(fleet, fleet.server("web-2"), 0.2);
  assert.equal(first.cleanups, 1);
});

Deno.test("of N servers each cleans up with chance 1/N, and however many there seem to be, now and then", async () => {
  await using fleet = new Fleet();
  for (const name of ["web-1", "web-2", "web-3", "web-4"]) {
    await fleet.forge({ kind: "tail", stream: `${name}_abcdefgh`, first: 1, last: 1 }, String);
    await fleet.forge({ kind: "tail", stream: `${name}_bcdefgha`, first: 1, last: 1 }, String);
  }
  fleet.time.skip(-DAY);
  const { cleanups } = await cleanupsIn(fleet, fleet.server("web-5"), 20);
  assert.ok(cleanups > 1 && cleanups < 10, `${cleanups}`);
  for (let i = 0; i < 1000; i++) {
    await fleet.store.put(`tail/s${i}_abcdefgh/0000000000000001.1.abcdefgh`, new Uint8Array(1));
  }
  const many = await cleanupsIn(fleet, fleet.server("web-6"), 400);
  assert.ok(many.cleanups > 0 && many.cleanups < 15, `${many.cleanups}`);
});
