import mirror from "@feedsync/feedsync/plugins/mirror";
import assert from "node:assert/strict";
import { ConfigError, RejectedUpdateError } from "../../lib/errors.ts";
import { definePlugin } from "../../lib/plugin.ts";
import { testPlugin } from "../../lib/testing.ts";

Deno.test("testPlugin() sets a plugin up, hands it what matters and the rest, and closes it", async () => {
  const events: unknown[] = [];
  const plugin = definePlugin({
    name: "recorder",
    setup: ({ server, directory }) => void events.push(server, directory),
    onUpdate(update, { logger }) {
      events.push(update);
      logger.info(update.url);
    },
    onGap: (gap) => void events.push(gap),
    close: () => void events.push("closed"),
  });
  const test = await testPlugin(plugin, { server: "web-9", directory: "/data" });
  const first = await test.update();
  const second = await test.update({ content: null, metadata: { status: 200 }, superseded: true });
  const removal = await test.update({ url: "https://example.com/gone", removed: true });
  const gap = await test.gap({ last: 9 });
  await test.close();
  await test[Symbol.asyncDispose]();
  assert.deepEqual(events, ["web-9", "/data", first, second, removal, gap, "closed"]);
  assert.deepEqual([first.content, first.metadata, first.seq], ["<rss></rss>", {}, 1]);
  assert.ok(second.content === null && second.superseded && second.seq === 2);
  assert.notEqual(first.id, second.id);
  assert.ok(removal.removed && removal.content === undefined);
  assert.deepEqual(gap, { stream: first.stream, first: 4, last: 9 });
  assert.deepEqual(test.logs.map(({ level, message }) => `${level} ${message}`), [
    `info ${first.url}`,
    `info ${first.url}`,
    "info https://example.com/gone",
  ]);
});

Deno.test("testPlugin() rejects with what the plugin throws, a single time", async () => {
  let calls = 0;
  await using test = await testPlugin(definePlugin({
    name: "picky",
    onUpdate() {
      calls++;
      throw new RejectedUpdateError("not mine");
    },
  }));
  await assert.rejects(test.update(), RejectedUpdateError);
  assert.equal(calls, 1);
});

Deno.test("testPlugin() hands the signal over that it is given", async () => {
  await using test = await testPlugin(definePlugin({
    name: "patient",
    onUpdate: (_update, { signal }) =>
      new Promise<void>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  }));
  const late = new AbortController();
  const call = test.update({}, { signal: late.signal });
  late.abort(new Error("late"));
  await assert.rejects(call, { message: "late" });
});

Deno.test("testPlugin() refuses options that the plugin does not take", async () => {
  const wrong = { directory: 1 } as unknown as { directory: string };
  await assert.rejects(testPlugin([mirror, wrong]), ConfigError);
});
