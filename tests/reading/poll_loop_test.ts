import assert from "node:assert/strict";
import {
  AccessDeniedError,
  ConfigError,
  StateError,
  StoreUnavailableError,
} from "../../lib/errors.ts";
import { watch } from "../../lib/watch.ts";
import { captureLog } from "../encryption/keys.ts";
import { Fleet, survivingState } from "../fixture.ts";
import { failing } from "../memory_store.ts";

/** Longer than any delay between attempts. */
const A_WHILE = 60_000;

Deno.test("a failure is said once, without a queue when there is none, and that it is over", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  const state = survivingState("web-1", fleet);
  const before = fleet.server("web-1", { state });
  await fleet.publish(before, "a");
  await fleet.time.run(before.close());
  const recover = fleet.store.before(
    "list",
    failing(new StoreUnavailableError("Cannot list: refused")),
  );
  await using _ = watch(fleet.server("web-1", { state, presence: false }), () => {});
  await fleet.time.pass(A_WHILE);
  recover();
  await fleet.time.pass(A_WHILE);
  assert.deepEqual(log.lines, [
    "warning: Cannot list: refused (retrying; nothing is lost)",
    "warning: Cannot list: refused (uploading is tried again)",
    "info: Uploading works again",
    "info: The store can be reached again",
  ]);
});

Deno.test("that the store can be reached again is not said when it was the state that failed", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  let isFull = false;
  const state = survivingState("web-2", fleet, (call) => {
    if (isFull && call === "transaction") throw new StateError("Cannot write to the state: full");
  });
  await using _ = watch(fleet.server("web-2", { state, presence: false }), () => {});
  await fleet.time.pass(A_WHILE);
  isFull = true;
  await fleet.publish(fleet.server("web-1"), "a");
  await fleet.time.pass(A_WHILE);
  isFull = false;
  await fleet.time.pass(A_WHILE);
  assert.deepEqual(log.lines.filter((line) => !line.includes("(retrying)")), [
    "warning: Cannot write to the state: full (retrying; nothing is lost)",
    "info: The state can be used again",
  ]);
});

for (const Refusal of [AccessDeniedError, ConfigError]) {
  Deno.test(`a first poll that ends with ${Refusal.name} is made once more before the watcher ends`, async () => {
    await using fleet = new Fleet();
    const recover = fleet.store.before("list", failing(new Refusal("Cannot list: refused")));
    await using watcher = watch(fleet.server("web-1"), () => {});
    const start = fleet.time.clock.elapsed();
    await assert.rejects(fleet.time.run(watcher.finished), Refusal);
    assert.ok(fleet.time.clock.elapsed() - start >= 2_000, "some seconds later");

    recover();
    fleet.store.before("list", failing(new Refusal("Cannot list: refused")), { times: 1 });
    const received: unknown[] = [];
    await using passing = watch(
      fleet.server("web-2"),
      ({ content }) => void received.push(content),
    );
    await passing.ready;
    await fleet.publish(fleet.server("web-3"), "a");
    await fleet.time.pass(A_WHILE);
    assert.deepEqual(received, ["a"]);
  });

  Deno.test(`a watcher that has polled once outlives ${Refusal.name}`, async () => {
    await using fleet = new Fleet();
    const received: unknown[] = [];
    await using watcher = watch(
      fleet.server("web-1"),
      ({ content }) => void received.push(content),
    );
    await watcher.ready;
    await fleet.time.pass(A_WHILE);
    const recover = fleet.store.before("list", failing(new Refusal("Cannot list: refused")));
    await fleet.time.pass(A_WHILE);
    recover();
    await fleet.publish(fleet.server("web-2"), "a");
    await fleet.time.pass(A_WHILE);
    assert.deepEqual(received, ["a"]);
  });
}

Deno.test("a first poll that finds the store out of reach ends nothing, however often", async () => {
  await using fleet = new Fleet();
  const recover = fleet.store.before(
    "list",
    failing(new StoreUnavailableError("Cannot list: 307")),
  );
  const received: unknown[] = [];
  await using watcher = watch(fleet.server("web-1"), ({ content }) => void received.push(content));
  await watcher.ready;
  await fleet.time.pass(A_WHILE);
  recover();
  await fleet.publish(fleet.server("web-2"), "a");
  await fleet.time.pass(A_WHILE);
  assert.deepEqual(received, ["a"]);
});
