import log from "@feedsync/feedsync/plugins/log";
import mirror from "@feedsync/feedsync/plugins/mirror";
import assert from "node:assert/strict";
import { z } from "zod";
import { connect } from "../../lib/connect.ts";
import { ConfigError, RejectedUpdateError } from "../../lib/errors.ts";
import { definePlugin } from "../../lib/plugin.ts";
import { publish } from "../../lib/publish.ts";
import { watch } from "../../lib/watch.ts";
import { Fleet } from "../fixture.ts";

/** A plugin that notes what becomes of it in `events`. */
function reporter(events: string[]) {
  return definePlugin({
    name: "reporter",
    options: z.strictObject({ label: z.string().default("plain") }),
    setup({ options, server }) {
      events.push(`setup ${options.label} at ${server}`);
      return options.label;
    },
    onUpdate: ({ content }, { state }) => void events.push(`${state} got ${content}`),
    onGap: ({ first, last }, { state }) => void events.push(`${state} lost ${first} to ${last}`),
    close: ({ state }) => void events.push(`close ${state}`),
  });
}

Deno.test("watch() takes a plugin, set up before the first update and closed after the last", async () => {
  await using fleet = new Fleet();
  const events: string[] = [];
  await fleet.publish(fleet.server("web-1"), "a");
  const watcher = watch(fleet.server("web-2"), reporter(events), { manual: true });
  await watcher.poll();
  await watcher.close();
  assert.deepEqual(events, ["setup plain at web-2", "plain got a", "close plain"]);
});

Deno.test("watch() takes several plugins, alone or with options", async () => {
  await using fleet = new Fleet();
  const events: string[] = [], plugin = reporter(events);
  await fleet.publish(fleet.server("web-1"), "a");
  await using watcher = watch(
    fleet.server("web-2"),
    [plugin, [plugin, { label: "other" }], "log"],
    {
      manual: true,
    },
  );
  await watcher.poll();
  assert.deepEqual(events.slice(0, 2), ["setup plain at web-2", "setup other at web-2"]);
  assert.deepEqual(new Set(events.slice(2)), new Set(["plain got a", "other got a"]));
});

Deno.test("connect() takes plugins, by name, by value and with options", async () => {
  const directory = await Deno.makeTempDir(), events: string[] = [];
  await using web1 = await connect({ store: `file:${directory}/store`, server: "web-1" });
  await using web2 = await connect({
    store: `file:${directory}/store`,
    server: "web-2",
    plugins: [
      ["mirror", { directory: "./by-name" }],
      [mirror, { directory: "./by-value" }],
      reporter(events),
    ],
  }, { directory });
  await publish(web1, { url: "https://example.com/a", content: "<rss/>" });
  await using watcher = watch(web2, undefined, { manual: true });
  assert.deepEqual(await watcher.poll(), {
    applied: 1,
    restored: 0,
    failed: 0,
    gaps: 0,
    unreadable: [],
  });
  const file = `${encodeURIComponent("https://example.com/a")}.feed`;
  assert.equal(await Deno.readTextFile(`${directory}/by-name/${file}`), "<rss/>");
  assert.equal(await Deno.readTextFile(`${directory}/by-value/${file}`), "<rss/>");
  assert.deepEqual(events, ["setup plain at web-2", "plain got <rss/>"]);
});

Deno.test("what is no plugin, or does not take its options, is refused at once", async () => {
  await using fleet = new Fleet();
  const server = fleet.server("web-1");
  // deno-lint-ignore ban-types -- what JavaScript programs may hand over
  const cases: [given: {}, message: RegExp][] = [
    [{}, /Cannot use plugin '#1': it has no 'name'/],
    [{ name: "x" }, /Cannot use plugin 'x': it has no function 'onUpdate'/],
    [[null], /Cannot use plugin '#1': it is not an object/],
    [[log, { format: "SECRET" }], /Cannot use plugin '#2': it has no 'name'/],
    [[[mirror, {}]], /Cannot use plugin 'mirror': its options are wrong: 'directory'/],
    [mirror, /Cannot use plugin 'mirror': its options are wrong: 'directory'/],
    [[[log, { format: "xml" }]], /Cannot use plugin 'log': its options are wrong: 'format'/],
    [[[{ name: "x", onUpdate() {} }, {}]], /Cannot use plugin 'x': it takes no options/],
  ];
  for (const [given, message] of cases) {
    assert.throws(() => watch(server, given as () => void), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /SECRET/);
      return true;
    });
  }
  await assert.rejects(
    connect({ plugins: [{ name: "x" } as unknown as string] }),
    { name: "ConfigError", message: /'plugins\.0' must be a plugin/ },
  );
});

Deno.test("poll() tells how many updates failed, which onDeadLetter is told of once they are kept", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a", "bad", "c");
  const server = fleet.server("web-2"), failures: unknown[] = [];
  const { deadLetters } = server.parts!.state;
  const picky = definePlugin({
    name: "picky",
    onUpdate({ content }) {
      if (content === "bad") throw new RejectedUpdateError("Cannot parse it");
    },
  });
  await using watcher = watch(server, [picky, definePlugin({ name: "fine", onUpdate() {} })], {
    manual: true,
    onDeadLetter({ plugin, update, error }) {
      failures.push([plugin, update.content, (error as Error).message, deadLetters.count()]);
      throw new Error("of no concern");
    },
  });
  const report = await fleet.time.run(watcher.poll());
  assert.deepEqual(report, { applied: 2, restored: 0, failed: 1, gaps: 0, unreadable: [] });
  assert.deepEqual(failures, [["picky", "bad", "Cannot parse it", 1]]);
  assert.equal((await watcher.poll()).failed, 0);
});

Deno.test("a callback that always throws applies nothing", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a", "b");
  await using watcher = watch(fleet.server("web-2"), () => Promise.reject(new Error("no")), {
    manual: true,
  });
  const report = await fleet.time.run(watcher.poll());
  assert.deepEqual(report, { applied: 0, restored: 0, failed: 2, gaps: 0, unreadable: [] });
});

Deno.test("onDeadLetter that hangs holds reading up for callbackTimeout, no longer", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "bad", "b");
  const server = fleet.server("web-2", { callbackTimeout: "5s" }), applied: unknown[] = [];
  await using watcher = watch(server, ({ content }) => {
    if (content === "bad") throw new Error("no");
    applied.push(content);
  }, { manual: true, onDeadLetter: () => new Promise(() => {}) });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(applied, ["b"]);
});

Deno.test("onGap is told besides the plugins", async () => {
  await using fleet = new Fleet();
  const server = fleet.server("web-2"), events: string[] = [];
  await using watcher = watch(server, reporter(events), {
    manual: true,
    onGap: ({ first, last }) => void events.push(`told of ${first} to ${last}`),
  });
  await watcher.poll();
  await fleet.forge({ kind: "tail", stream: "web-1_abcdefgh", first: 3, last: 3 }, () => "c");
  await fleet.time.run(watcher.poll());
  assert.deepEqual(events.slice(1), ["plain lost 1 to 2", "told of 1 to 2", "plain got c"]);
});
