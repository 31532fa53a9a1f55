import assert from "node:assert/strict";
import { survivingState } from "../../fixture.ts";
import { Applications, DAY, feedsOf, HOUR, MINUTE, reasons } from "./servers.ts";

Deno.test("a presence that was written at a time beyond now does not count", async () => {
  await using apps = new Applications();
  const state = survivingState("web-1", apps.fleet), web1 = apps.connect("web-1", { state });
  await apps.due(web1, feedsOf(1));
  const presence = state.fleet.presence()!;
  state.fleet.setPresence({ ...presence, written: [...presence.written, apps.now + 9 * HOUR] });
  await apps.fleet.time.pass(10 * HOUR);
  await apps.due(web1, feedsOf(1));
  const times = state.fleet.presence()!.written;
  assert.ok(times.every((time) => time <= apps.now), String(times));

  state.fleet.setPresence({ ...presence, written: [apps.now + 9 * HOUR] });
  await apps.fleet.time.pass(MINUTE);
  await apps.due(web1, feedsOf(2));
  assert.deepEqual(state.fleet.presence()!.written, [apps.now]);
});

Deno.test("turns do not last until a time that a wrong clock has told", async () => {
  await using apps = new Applications();
  const state = survivingState("web-1", apps.fleet), web1 = apps.connect("web-1", { state });
  await apps.due(web1, feedsOf(1));
  state.fleet.setTurns({ ...state.fleet.turns()!, until: apps.now + 3 * DAY });
  await apps.fleet.time.pass(MINUTE);
  await apps.due(web1, feedsOf(1));
  assert.ok(state.fleet.turns()!.until <= apps.now + HOUR);
});

Deno.test("a clock that was set between two processes makes nothing due", async () => {
  for (const ms of [9 * HOUR, -9 * HOUR]) {
    await using apps = new Applications();
    const state = survivingState("web-1", apps.fleet), urls = feedsOf(5);
    await apps.round(apps.connect("web-1", { state }), urls);
    await apps.fleet.time.pass(2 * MINUTE);
    apps.fleet.time.setBack(ms);
    apps.fleet.store.clockOffset = ms;
    const turns = await apps.due(apps.connect("web-1", { state }), urls);
    assert.deepEqual(new Set(reasons(turns)), new Set(["fresh"]), String(ms));
  }
});

Deno.test("a clock that was set between two processes is not taken for a long silence", async () => {
  for (const ms of [9 * HOUR, -9 * HOUR]) {
    await using apps = new Applications();
    const state = survivingState("web-1", apps.fleet), urls = feedsOf(5);
    for (let minute = 0; minute < 5; minute++) {
      await apps.round(apps.connect("web-1", { state }), urls);
      await apps.fleet.time.pass(MINUTE);
    }
    apps.fleet.time.setBack(ms);
    apps.fleet.store.clockOffset = ms;
    await apps.due(apps.connect("web-1", { state }), urls);
    const [key] = apps.fleet.keys("present/");
    assert.match(key, /\.60\.1\.[0-9a-f]{32}$/, "it says that it asks once a minute");
  }
});
