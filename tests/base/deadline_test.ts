import assert from "node:assert/strict";
import { abortable, Deadline, withDeadline } from "../../lib/base/deadline.ts";
import { VirtualTime } from "../virtual_time.ts";

Deno.test("Deadline ends work that ignores its signal", async () => {
  const time = new VirtualTime();
  using deadline = new Deadline(time.clock);
  deadline.allow(10_000);
  const raced = deadline.race(new Promise(() => {}));
  const outcome = assert.rejects(raced, { message: "no complete answer within 10 s" });
  await time.run(outcome);
  assert.ok(deadline.signal.aborted);
});

Deno.test("Deadline gives more time when it is told", async () => {
  const time = new VirtualTime();
  using deadline = new Deadline(time.clock);
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

Deno.test("a deadline with grace begins when its caller aborts, and ends with the caller's reason", async () => {
  const time = new VirtualTime();
  const caller = new AbortController();
  using deadline = new Deadline(time.clock, caller.signal, { graceMs: 5_000 });
  const reason = new Error("enough");
  caller.abort(reason);
  await time.pass(4_000);
  assert.ok(!deadline.signal.aborted);
  await time.pass(2_000);
  assert.equal(deadline.signal.reason, reason);
});

Deno.test("withDeadline aborts the signal of its work, and rejects with the reason that it was given", async () => {
  const time = new VirtualTime();
  const late = new Error("too late");
  let given: AbortSignal | undefined;
  const work = (signal: AbortSignal) => {
    given = signal;
    return new Promise<void>(() => {});
  };
  const limit = { clock: time.clock, timeoutMs: 1_000, timeoutReason: () => late };
  await time.run(assert.rejects(withDeadline(work, limit), late));
  assert.equal(given?.reason, late);
});

Deno.test("withDeadline resolves to what its work does, at once or later", async () => {
  const { clock } = new VirtualTime();
  assert.equal(await withDeadline(() => 1, { clock, timeoutMs: 1_000 }), 1);
  assert.equal(await withDeadline(() => Promise.resolve(2), { clock, timeoutMs: 1_000 }), 2);
});

Deno.test("abortable leaves no rejection of its work unhandled", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  await assert.rejects(abortable(promise, AbortSignal.abort(new Error("stop"))), /stop/);
  reject(new Error("nobody waits for this"));
  await Promise.resolve();
});
