/** What `-v` tells of reading. */
import assert from "node:assert/strict";
import { sleep } from "../../lib/base/environment.ts";
import { parseKey } from "../../lib/log/names.ts";
import type { BucketWatcher } from "../../lib/reading/bucket_watcher.ts";
import { watch } from "../../lib/watch.ts";
import { captureLog } from "../encryption/keys.ts";
import { Fleet, texts } from "../fixture.ts";

Deno.test("with -v a poll tells what it has found, and how late that was applied", async () => {
  await using fleet = new Fleet();
  using log = captureLog("debug");
  const web1 = fleet.server("web-1"), web2 = fleet.server("web-2");
  await using received = fleet.watch(fleet.server("web-3"));
  await fleet.publish(web1, "a", "b");
  await fleet.publish(web2, "c");
  await fleet.time.pass(5_000);
  await fleet.time.run(received.watcher.poll());
  const debug = log.lines.filter((line) => line.startsWith("debug"));
  assert.ok(debug.includes("debug: Found 3 updates of web-1, web-2 in 3 commits"), `${debug}`);
  const applied = debug.filter((line) => line.includes("Applied")).toSorted();
  assert.equal(applied.length, 2);
  assert.match(
    applied[0],
    /^debug: Applied web-1_\w{8} up to 2, 5\.\d s after that was published$/,
  );
  log.lines.length = 0;
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(log.lines.filter((line) => line.startsWith("debug")), [], "nothing was found");
});

Deno.test("with -v what a peer sent is told", async () => {
  await using fleet = new Fleet();
  using log = captureLog("debug");
  const web1 = fleet.server("web-1");
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, "a");
  const [key] = fleet.keys("tail/"), name = parseKey(key)!;
  const watcher = received.watcher as BucketWatcher;
  watcher.hear(name);
  watcher.hear(name, { name, updates: fleet.read(key), size: 100 });
  await fleet.time.run(received.watcher.poll());
  const told = log.lines.filter((line) => line.includes("1 to 1"));
  assert.deepEqual(told, [
    `debug: A wake-up told of updates 1 to 1 of ${web1.stream}`,
    `debug: A peer sent updates 1 to 1 of ${web1.stream}`,
  ]);
});

Deno.test("with -v catching up tells every ten seconds how far it is, and when it is done", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), ...texts("a", 30));
  using log = captureLog("debug");
  await using watcher = watch(fleet.server("web-2"), () => sleep(fleet.time.clock, 1_000), {
    manual: true,
  });
  await fleet.time.run(watcher.poll());
  await fleet.time.run(watcher.poll());
  const told = log.lines.filter((line) => /Catching up|Caught up/.test(line));
  assert.equal(told.length, 3, told.join("\n"));
  assert.match(told[0], /^debug: Catching up: applied 1[01] of 30 updates, until 2026-01-01T00:00/);
  assert.match(told[1], /^debug: Catching up: applied 2[0-2] of 30 updates/);
  assert.match(told[2], /^debug: Caught up: applied 30 updates in \d\d s/);
});
