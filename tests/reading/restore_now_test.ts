import assert from "node:assert/strict";
import type { Connection } from "../../lib/connection.ts";
import { callbackPlugin, type RunningPlugin, runningPlugin } from "../../lib/plugin.ts";
import { BackendUnavailableError } from "../../lib/errors.ts";
import { publish } from "../../lib/publish.ts";
import { restoreNow } from "../../lib/reading/restoring/restore_now.ts";
import type { Update } from "../../lib/update.ts";
import { watchWith } from "../../lib/watch.ts";
import { Fleet, survivingState, texts, urlOf } from "../fixture.ts";
import { expire } from "./expired.ts";

/** A plugin that keeps what it is handed. */
function keeping(name: string): RunningPlugin & { readonly updates: Update[] } {
  const updates: Update[] = [];
  const plugin = runningPlugin(name, { onUpdate: (update) => void updates.push(update) });
  return { ...plugin, updates };
}

/** A server that has applied feeds which are kept for good, and others which are in the log. */
async function server(fleet: Fleet, plugins: readonly RunningPlugin[]): Promise<Connection> {
  const web1 = fleet.server("web-1");
  const web2 = fleet.server("web-2", { state: survivingState("web-2", fleet) });
  await fleet.publish(web1, ...texts("kept", 3));
  await fleet.publish(web1, "both");
  await using watcher = watchWith(web2, plugins, { manual: true });
  await fleet.time.run(watcher.poll());
  await expire(fleet);
  fleet.time.skip(1000);
  await fleet.publish(web1, ...texts("log", 30));
  await fleet.time.run(publish(web1, { url: urlOf("both"), content: "newer" }));
  await fleet.time.run(watcher.poll());
  return web2;
}

const NONE = () => Promise.reject(new Error("The watcher has plugins"));

function contents(updates: readonly Update[]): unknown[] {
  return updates.map(({ content }) => content).sort();
}

Deno.test("all feeds are delivered again, from the log and from what is kept for good, each once", async () => {
  await using fleet = new Fleet();
  const plugin = keeping("plugin");
  const web2 = await server(fleet, [plugin]);
  const expected = [...texts("kept", 3), ...texts("log", 30), "newer"].sort();
  plugin.updates.length = 0;
  const alone = await fleet.time.run(restoreNow(web2, () => Promise.resolve([plugin])));
  assert.deepEqual(alone, { restored: 34, failed: 0, unknown: [], unreadable: [] });
  assert.deepEqual(contents(plugin.updates), expected);
  assert.ok(plugin.updates.every(({ restored, superseded }) => restored && !superseded));

  plugin.updates.length = 0;
  await using _watcher = watchWith(web2, [plugin], { manual: true });
  const progress: number[] = [];
  const onProgress = ({ restored }: { restored: number }) => void progress.push(restored);
  const beside = await fleet.time.run(restoreNow(web2, NONE, { onProgress }));
  assert.deepEqual(beside, alone);
  assert.deepEqual(contents(plugin.updates), expected);
  assert.equal(progress.at(-1), 34);
});

Deno.test("some feeds are delivered again, however their URLs are spelt, and unknown ones are told", async () => {
  await using fleet = new Fleet();
  const plugin = keeping("plugin");
  const web2 = await server(fleet, [plugin]);
  plugin.updates.length = 0;
  const urls = ["HTTPS://EXAMPLE.com/kept1", urlOf("log7"), urlOf("both"), urlOf("other")];
  const report = await fleet.time.run(restoreNow(web2, () => Promise.resolve([plugin]), { urls }));
  assert.deepEqual(report, { restored: 3, failed: 0, unknown: [urlOf("other")], unreadable: [] });
  assert.deepEqual(contents(plugin.updates), ["kept1", "log7", "newer"]);
});

Deno.test("one plugin alone gets what all have had", async () => {
  await using fleet = new Fleet();
  const [one, other] = [keeping("one"), keeping("other")];
  const web2 = await server(fleet, [one, other]);
  one.updates.length = other.updates.length = 0;
  await using _watcher = watchWith(web2, [one, other], { manual: true });
  await fleet.time.run(restoreNow(web2, NONE, { plugin: "one" }));
  assert.deepEqual([one.updates.length, other.updates.length], [34, 0]);
  await assert.rejects(
    fleet.time.run(restoreNow(web2, NONE, { plugin: "third" })),
    /Cannot restore to the plugin third: no plugin has this name; the plugins are one, other/,
  );
});

Deno.test("what expires while feeds are delivered again is found where it is kept for good", async () => {
  await using fleet = new Fleet();
  const plugin = keeping("plugin");
  const web2 = await server(fleet, [plugin]);
  plugin.updates.length = 0;
  fleet.store.before("list", async (prefix) => {
    if (prefix.startsWith("tail/")) await expire(fleet);
  }, { times: 1 });
  await fleet.time.run(restoreNow(web2, () => Promise.resolve([plugin])));
  const expected = [...texts("kept", 3), ...texts("log", 30), "newer"].sort();
  assert.deepEqual(contents(plugin.updates), expected);
});

Deno.test("with a state in memory all that is kept for good is delivered when asked", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a");
  await expire(fleet);
  const updates: Update[] = [];
  const plugins = () => Promise.resolve([callbackPlugin((update) => void updates.push(update))]);
  await fleet.time.run(restoreNow(fleet.server("web-2"), plugins));
  assert.deepEqual(contents(updates), ["a"]);
});

Deno.test("a backend that stays away is waited for once, not by each feed", async () => {
  await using fleet = new Fleet();
  const web2 = await server(fleet, [keeping("plugin")]);
  const away = runningPlugin("plugin", {
    onUpdate: () => Promise.reject(new BackendUnavailableError("Its disk is not mounted")),
  });
  const before = fleet.time.clock.elapsed();
  await assert.rejects(
    fleet.time.run(restoreNow(web2, () => Promise.resolve([away]))),
    BackendUnavailableError,
  );
  assert.ok(fleet.time.clock.elapsed() - before <= 30_000);
});
