import assert from "node:assert/strict";
import { Deadline } from "../../lib/base/deadline.ts";
import { VirtualTime } from "../virtual_time.ts";

Deno.test("Deadline ends work that ignores its signal", async () => {
  const time = new VirtualTime();
  using deadline = new Deadline(time.clock, undefined);
  deadline.allow(10_000);
  const raced = deadline.race(new Promise(() => {}));
  const outcome = assert.rejects(raced, { message: "no complete answer within 10 s" });
  await time.run(outcome);
  assert.ok(deadline.signal.aborted);
});

Deno.test("Deadline gives more time when it is told", async () => {
  const time = new VirtualTime();
  using deadline = new Deadline(time.clock, undefined);
  deadline.allow(10_000);
  await time.pass(9_000);
  deadline.allow(10_000);
  await time.pass(9_000);
  assert.ok(!deadline.signal.aborted);
  await time.pass(2_000);
  assert.ok(deadline.signal.aborted);
});

Deno.test("Deadline hands on the reason of its caller, also one from before", async () => {
  const time = new VirtualTime();
  const caller = new AbortController();
  const reason = new Error("enough");
  using during = new Deadline(time.clock, caller.signal);
  const raced = during.race(new Promise(() => {}));
  caller.abort(reason);
  await assert.rejects(raced, reason);
  using after = new Deadline(time.clock, caller.signal);
  await assert.rejects(after.race(new Promise(() => {})), reason);
});

Deno.test("Deadline never fires after its work", async () => {
  const time = new VirtualTime();
  const caller = new AbortController();
  const deadline = new Deadline(time.clock, caller.signal);
  deadline.allow(1_000);
  assert.equal(await deadline.race(Promise.resolve("done")), "done");
  deadline[Symbol.dispose]();
  await time.pass(2_000);
  caller.abort();
  assert.ok(!deadline.signal.aborted);
});
