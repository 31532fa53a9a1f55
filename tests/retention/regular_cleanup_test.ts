import assert from "node:assert/strict";
import type { Connection } from "../../lib/connection.ts";
import { RegularCleanup } from "../../lib/retention/regular_cleanup.ts";
import { AccessDeniedError } from "../../lib/errors.ts";
import { watch } from "../../lib/watch.ts";
import { failing } from "../memory_store.ts";
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
    regular.startIfDue(new AbortController().signal);
    await regular[Symbol.asyncDispose]();
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

Deno.test("a server that may not delete does not carry the same again every hour", async () => {
  await using fleet = new Fleet();
  fleet.store.before("delete", failing(new AccessDeniedError("no")));
  await fleet.publish(fleet.server("web-1"), "a", "b");
  fleet.time.skip(3 * DAY);
  const { cleanups } = await cleanupsIn(fleet, fleet.server("web-2"), 60);
  assert.ok(cleanups >= 9 && cleanups <= 11, `${cleanups}`);
});

Deno.test("polls go on while a server cleans up, and its end is waited for", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a");
  fleet.time.skip(3 * DAY);
  const held = Promise.withResolvers<void>(), reached = Promise.withResolvers<void>();
  fleet.store.before("put", (key) => {
    if (!key.startsWith("newest/")) return;
    reached.resolve();
    return held.promise;
  });
  const arrived = Promise.withResolvers<void>();
  const watcher = watch(fleet.server("web-2", { retention: "24h" }), ({ content }) => {
    if (content === "b") arrived.resolve();
  });
  await fleet.time.run(reached.promise);
  await fleet.publish(web1, "b");
  await fleet.time.run(arrived.promise);
  held.resolve();
  await fleet.time.run(watcher.close());
  assert.equal(fleet.keys("newest/").length, 1);
});
