import assert from "node:assert/strict";
import type { RunningPlugin } from "../../lib/plugin.ts";
import { watch, watchWith } from "../../lib/watch.ts";
import { Fleet, survivingState } from "../fixture.ts";

Deno.test("a running call ends before its plugin is closed, although another has failed", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a");
  const events: string[] = [];
  const reached = Promise.withResolvers<void>(), stopped = Promise.withResolvers<never>();
  const failing: RunningPlugin = {
    name: "failing",
    onUpdate: () => stopped.promise,
    onGap: () => {},
    close: () => Promise.resolve(),
  };
  const slow: RunningPlugin = {
    name: "slow",
    async onUpdate() {
      reached.resolve();
      await new Promise<void>((resolve) => fleet.time.clock.setTimer(5000, resolve));
      events.push("applied");
    },
    onGap: () => {},
    close: () => Promise.resolve(void events.push("closed")),
  };
  const watcher = watchWith(fleet.server("web-2"), [failing, slow], {
    manual: true,
  });
  watcher.poll().catch(() => {});
  await reached.promise;
  const closed = watcher.close();
  stopped.reject(new Error("not now"));
  await fleet.time.run(closed);
  assert.deepEqual(events, ["applied", "closed"]);
});

Deno.test("a gap is reported again when the call that took note of it was cut off", async () => {
  await using fleet = new Fleet();
  const state = survivingState("web-2", fleet), stream = "web-1_abcdefgh";
  const before = fleet.server("web-2", { state, stopTimeout: "1s" });
  const reached = Promise.withResolvers<void>();
  const first = watch(before, () => {}, {
    manual: true,
    onGap: () => {
      reached.resolve();
      return new Promise(() => {});
    },
  });
  await fleet.time.run(first.poll());
  await fleet.forge({ kind: "tail", stream, first: 4, last: 5 }, (seq) => `s${seq}`);
  first.poll().catch(() => {});
  await fleet.time.run(reached.promise);
  await fleet.time.run(first.close());
  await fleet.time.run(before.close());
  await using second = fleet.watch(fleet.server("web-2", { state }));
  await fleet.time.run(second.watcher.poll());
  assert.deepEqual(second.gaps, [{ stream, first: 1, last: 3 }]);
  assert.deepEqual(second.contents, ["s4", "s5"]);
});
