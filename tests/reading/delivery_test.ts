import assert from "node:assert/strict";
import { RejectedUpdateError } from "../../lib/errors.ts";
import type { RunningPlugin } from "../../lib/plugin.ts";
import { publish } from "../../lib/publish.ts";
import { watch, watchWith } from "../../lib/watch.ts";
import { Fleet, survivingState, texts, urlOf } from "../fixture.ts";

const MINUTE = 60_000;

function plugin(onUpdate: RunningPlugin["onUpdate"], name = "test"): RunningPlugin {
  return { name, onUpdate, onGap: () => {}, close: () => Promise.resolve() };
}

Deno.test("a callback that fails is tried again, and what follows waits for it", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a", "b");
  const calls: unknown[] = [];
  await using watcher = watch(fleet.server("web-2"), ({ content }) => {
    calls.push(content);
    if (calls.length < 3) throw new Error("not now");
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(calls, ["a", "a", "a", "b"]);
});

Deno.test("an update that cannot be applied becomes a dead letter, and the stream goes on", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), state = survivingState("web-2", fleet);
  await fleet.publish(web1, "a", "bad", "c");
  const applied: unknown[] = [];
  let attempts = 0;
  await using watcher = watch(fleet.server("web-2", { state }), ({ content }) => {
    if (content === "bad" && ++attempts) throw new Error("Cannot parse it");
    applied.push(content);
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(applied, ["a", "c"]);
  assert.equal(attempts, 5, "once more when another update was applied after it");
  const [letter, ...others] = state.deadLetters.all();
  assert.deepEqual(others, []);
  assert.deepEqual([letter.stream, letter.seq, letter.error], [web1.stream, 2, "Cannot parse it"]);
  assert.equal(letter.retryAt, null, "it is not tried again by itself");
  assert.equal(JSON.parse(state.deadLetters.get(letter.id)!.content).content, "bad");
});

Deno.test("a callback fails whatever it throws, nothing included", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-2", fleet);
  const thrown: Record<string, unknown> = {
    a: undefined,
    b: "some text",
    c: { __proto__: null, code: 42 },
  };
  await fleet.publish(fleet.server("web-1"), ...Object.keys(thrown));
  const web2 = fleet.server("web-2", { state });
  await using watcher = watch(web2, ({ content }) => Promise.reject(thrown[String(content)]), {
    manual: true,
  });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(
    state.deadLetters.all().map(({ error }) => error),
    ["It failed without a reason", "some text", "[Object: null prototype] { code: 42 }"],
  );
});

Deno.test("a rejected update becomes a dead letter at once", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-2", fleet);
  await fleet.publish(fleet.server("web-1"), ...texts("a", 10));
  let calls = 0;
  await using watcher = watch(fleet.server("web-2", { state }), () => {
    calls++;
    throw new RejectedUpdateError("Not for me");
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.equal(calls, 10);
  assert.equal(state.deadLetters.all().length, 10);
});

Deno.test("when five updates in a row fail, reading waits until the plugin works again, and none is lost", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-2", fleet);
  await fleet.publish(fleet.server("web-1"), ...texts("a", 20));
  const begun = fleet.time.clock.now(), applied: unknown[] = [];
  await using watcher = watch(fleet.server("web-2", { state }), ({ content }) => {
    if (fleet.time.clock.now() < begun + 4 * MINUTE) throw new Error("I do not work");
    applied.push(content);
  }, { manual: true, outagePatience: false });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(applied, [...texts("a", 16, 5), ...texts("a", 4)]);
  assert.deepEqual(state.deadLetters.all(), []);
  assert.ok(fleet.time.clock.now() < begun + 6 * MINUTE, "it is tried at least every minute");
});

Deno.test("a callback that never returns ends with its timeout, and its signal is aborted", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a", "b");
  const signals: AbortSignal[] = [], applied: unknown[] = [];
  await using watcher = watch(
    fleet.server("web-2", { callbackTimeout: "30s" }),
    ({ content }, { signal }) => {
      if (content === "b") return void applied.push(content);
      signals.push(signal);
      return new Promise(() => {});
    },
    { manual: true },
  );
  await fleet.time.run(watcher.poll());
  assert.equal(signals.length, 5);
  assert.ok(signals.every(({ aborted }) => aborted));
  assert.deepEqual(applied, ["b"]);
});

Deno.test("one plugin's failure does not keep an update from the others", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-2", fleet);
  await fleet.publish(fleet.server("web-1"), "a", "b");
  const applied: unknown[] = [];
  const failing = plugin(() => Promise.reject(new RejectedUpdateError("no")), "failing");
  const working = plugin(({ content }) => void applied.push(content), "working");
  const web2 = fleet.server("web-2", { state });
  await using watcher = watchWith(web2, [failing, working], {
    manual: true,
  });
  await fleet.time.run(watcher.poll());
  assert.deepEqual(applied, ["a", "b"]);
  assert.deepEqual(state.deadLetters.all().map((letter) => letter.plugin), ["failing", "failing"]);
});

Deno.test("an older update that arrives after a newer one is marked as superseded", async () => {
  await using fleet = new Fleet();
  const [web1, web2, web3] = ["web-1", "web-2", "web-3"].map((name) => fleet.server(name));
  const url = "https://example.com/feed.xml";
  await publish(web1, { url, content: "old" });
  fleet.time.skip(1000);
  await publish(web2, { url, content: "new" });
  const [older] = fleet.keys(`tail/${web1.stream}`);
  const late = fleet.store.objects.get(older)!;
  fleet.store.objects.delete(older);
  await using received = fleet.watch(web3);
  await fleet.time.run(received.watcher.poll());
  fleet.store.objects.set(older, late);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(
    received.updates.map(({ content, superseded }) => [content, superseded]),
    [["new", false], ["old", true]],
  );
});

Deno.test("what this server published itself supersedes what is older", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  const url = "https://example.com/feed.xml";
  await publish(web1, { url, content: "theirs" });
  fleet.time.skip(1000);
  await publish(web2, { url, content: "ours" });
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.updates.map(({ superseded }) => superseded), [true]);
});

Deno.test("updates of one URL are applied one at a time, others side by side", async () => {
  await using fleet = new Fleet();
  const servers = ["web-1", "web-2", "web-3"].map((name) => fleet.server(name));
  const same = "https://example.com/same";
  for (const server of servers) {
    await publish(server, [{ url: same, content: "x" }, {
      url: urlOf(server.server),
      content: "y",
    }]);
  }
  let most = 0;
  const running: string[] = [];
  await using watcher = watch(fleet.server("web-4"), async ({ url }) => {
    assert.ok(!running.includes(url), "two calls for one URL");
    most = Math.max(most, running.push(url));
    await new Promise<void>((resolve) => fleet.time.clock.setTimer(10, resolve));
    running.splice(running.indexOf(url), 1);
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.ok(most >= 2);
});

Deno.test("the cursor moves only behind updates that all plugins have had", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), state = survivingState("web-2", fleet);
  await publish(web1, texts("a", 5).map((content) => ({ url: urlOf(content), content })));
  const before = fleet.server("web-2", { state, stopTimeout: "1s" });
  const reached = Promise.withResolvers<void>();
  const first = watch(before, ({ content }) => {
    if (content !== "a3") return;
    reached.resolve();
    return new Promise(() => {}); // The process dies in the middle of this call.
  }, { manual: true });
  first.poll().catch(() => {});
  await reached.promise;
  await fleet.time.run(first.close());
  await fleet.time.run(before.close());
  await using second = fleet.watch(fleet.server("web-2", { state }));
  await fleet.time.run(second.watcher.poll());
  assert.deepEqual(second.contents, ["a3", "a4", "a5"]);
});

Deno.test("a graceful stop lets the running callback finish and stores the cursor behind it", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), state = survivingState("web-2", fleet);
  await publish(web1, texts("a", 3).map((content) => ({ url: urlOf(content), content })));
  const before = fleet.server("web-2", { state });
  const finished: unknown[] = [];
  const reached = Promise.withResolvers<void>();
  const first = watch(before, async ({ content }) => {
    reached.resolve();
    await new Promise<void>((resolve) => fleet.time.clock.setTimer(5000, resolve));
    finished.push(content);
  }, { manual: true });
  first.poll().catch(() => {});
  await reached.promise;
  await fleet.time.run(first.close());
  assert.deepEqual(finished, ["a1"]);
  await using second = fleet.watch(fleet.server("web-2", { state }));
  await fleet.time.run(second.watcher.poll());
  assert.deepEqual(second.contents, ["a2", "a3"]);
});

Deno.test("others can use the state while contents are hashed", async () => {
  await using fleet = new Fleet();
  let isLocked = false;
  const state = survivingState("web-2", fleet, (call) => {
    if (call === "transaction") isLocked = true;
    if (call === "committed") isLocked = false;
  });
  await publish(fleet.server("web-1"), { url: urlOf("a"), content: { items: [1, 2] } });
  const hashedLocked: boolean[] = [];
  const { stringify } = JSON;
  JSON.stringify = (value: unknown, ...args: unknown[]) => {
    if (args.length > 0) hashedLocked.push(isLocked); // Only what is hashed is indented.
    return Reflect.apply(stringify, JSON, [value, ...args]);
  };
  try {
    await using received = fleet.watch(fleet.server("web-2", { state }));
    await fleet.time.run(received.watcher.poll());
  } finally {
    JSON.stringify = stringify;
  }
  assert.deepEqual(hashedLocked, [false]);
});

Deno.test("a hundred streams are applied side by side", async () => {
  await using fleet = new Fleet();
  for (let i = 0; i < 100; i++) {
    const part = { kind: "tail", stream: `s${i}_abcdefgh`, first: 1, last: 1 } as const;
    await fleet.forge(part, () => `s${i}`);
  }
  let begun = 0;
  const all = Promise.withResolvers<void>();
  await using watcher = watch(fleet.server("web-2"), () => {
    if (++begun === 100) all.resolve();
    return all.promise;
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.equal(begun, 100);
});
