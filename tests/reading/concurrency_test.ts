import assert from "node:assert/strict";
import type { Connection } from "../../lib/connection.ts";
import { definePlugin, startPlugin } from "../../lib/plugin.ts";
import { publish } from "../../lib/publish.ts";
import type { WatchOptions } from "../../lib/reading/watcher.ts";
import { watchWith } from "../../lib/watch.ts";
import { Fleet, survivingState } from "../fixture.ts";

const CONCURRENCY = 3;

/** A call of a plugin that has not ended. */
interface Call {
  readonly url: string;
  readonly content: string;
  end(error?: Error): void;
}

/** Two plugins of one watcher: one that takes several updates at a time, and one that does not. */
class Plugins {
  readonly calls: Call[] = [];
  readonly inOrder: string[] = [];

  readonly #several = definePlugin({
    name: "several",
    concurrency: () => CONCURRENCY,
    onUpdate: ({ url, content }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const end = (error?: Error) => {
        this.calls.splice(this.calls.indexOf(call), 1);
        if (error) reject(error);
        else resolve();
      };
      const call = { url, content: String(content), end };
      this.calls.push(call);
      return promise;
    },
  });
  readonly #one = definePlugin({
    name: "one",
    onUpdate: ({ content }) => void this.inOrder.push(String(content)),
  });

  /** A watcher that delivers to both, or to the first one alone. */
  async watch(
    connection: Connection,
    { isAlone = false, ...options }: WatchOptions & { isAlone?: boolean } = {},
  ) {
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const host = { server: connection.server, directory: "/", logger };
    const plugins = isAlone ? [this.#several] : [this.#several, this.#one];
    const running = plugins.map((plugin) => startPlugin(plugin, undefined, host));
    return watchWith(connection, await Promise.all(running), options);
  }

  /** What is under way. */
  get contents(): string[] {
    return this.calls.map(({ content }) => content);
  }

  call(content: string): Call {
    return this.calls.find((call) => call.content === content)!;
  }
}

async function publishAll(
  fleet: Fleet,
  from: Connection,
  ...updates: [url: string, content: string][]
) {
  for (const [url, content] of updates) {
    await fleet.time.run(publish(from, { url: `https://example.com/${url}`, content }));
  }
}

Deno.test("so many updates of a stream are handled at a time, one of each feed", async () => {
  await using fleet = new Fleet();
  const plugins = new Plugins(), web1 = fleet.server("web-1");
  const updates = ["a", "b", "a", "c", "d"].map((
    url,
    index,
  ): [string, string] => [url, `${index}`]);
  await publishAll(fleet, web1, ...updates);
  await using _watcher = await plugins.watch(fleet.server("web-2"));
  await fleet.time.pass(1000);
  assert.deepEqual(plugins.contents, ["0", "1"], "2 is of the same feed as 0");
  assert.deepEqual(plugins.inOrder, ["0"], "the other plugin waits for what is before");
  plugins.call("1").end();
  await fleet.time.pass(10);
  assert.deepEqual(plugins.contents, ["0"]);
  plugins.call("0").end();
  await fleet.time.pass(10);
  assert.deepEqual(plugins.contents, ["2", "3", "4"]);
  for (const content of ["4", "3", "2"]) plugins.call(content).end();
  await fleet.time.pass(10);
  assert.deepEqual(plugins.inOrder, ["0", "1", "2", "3", "4"]);
});

Deno.test("the cursor stays before what is not finished", async () => {
  await using fleet = new Fleet();
  const plugins = new Plugins(), state = survivingState("web-2", fleet);
  await publishAll(fleet, fleet.server("web-1"), ["a", "0"], ["b", "1"], ["c", "2"], ["d", "3"]);
  const first = fleet.server("web-2", { state, stopTimeout: 0 });
  const watcher = await plugins.watch(first, { isAlone: true });
  await fleet.time.pass(1000);
  plugins.call("0").end();
  plugins.call("2").end();
  await fleet.time.pass(10);
  assert.deepEqual(plugins.contents, ["1", "3"]);
  await fleet.time.run(watcher.close());
  await fleet.time.run(first.close());
  const again = new Plugins();
  await using _watcher = await again.watch(fleet.server("web-2", { state }));
  await fleet.time.pass(1000);
  assert.deepEqual(again.contents, ["1", "2", "3"], "2 is repeated, 0 is not");
  for (const call of [...again.calls]) call.end();
});

Deno.test("one of several that fails becomes a dead letter, the others are applied", async () => {
  await using fleet = new Fleet();
  const plugins = new Plugins();
  await publishAll(fleet, fleet.server("web-1"), ["a", "0"], ["b", "1"], ["c", "2"], ["d", "3"]);
  const reader = fleet.server("web-2");
  await using watcher = await plugins.watch(reader, { manual: true });
  const polling = watcher.poll();
  const end = (content: string, error?: Error) => plugins.call(content).end(error);
  await fleet.time.pass(100);
  end("0");
  end("2");
  await fleet.time.pass(100);
  end("3");
  for (let attempt = 0; attempt < 4; attempt++) {
    end("1", new Error("never"));
    await fleet.time.pass(60_000);
  }
  const { applied, failed } = await fleet.time.run(polling);
  assert.deepEqual({ applied, failed }, { applied: 3, failed: 1 });
  const letters = reader.parts!.state.deadLetters;
  assert.equal(letters.count(), 1);
});

Deno.test("two streams with the same feeds in another order do not wait for each other", async () => {
  await using fleet = new Fleet();
  const plugins = new Plugins();
  await publishAll(fleet, fleet.server("web-1"), ["x", "0"], ["y", "1"], ["z", "2"]);
  await publishAll(fleet, fleet.server("web-3"), ["z", "3"], ["y", "4"], ["x", "5"]);
  await using watcher = await plugins.watch(fleet.server("web-2"), { manual: true });
  const polling = watcher.poll();
  for (let round = 0; round < 20; round++) {
    await fleet.time.pass(10);
    plugins.calls[0]?.end();
  }
  const { applied } = await fleet.time.run(polling);
  assert.equal(applied, 6);
});
