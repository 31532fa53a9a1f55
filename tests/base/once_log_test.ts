import assert from "node:assert/strict";
import { OnceLog } from "../../lib/base/once_log.ts";
import { VirtualTime } from "../virtual_time.ts";

function setUp() {
  const time = new VirtualTime(), logged: string[] = [];
  const log = (severity: string) => (text: string, properties: Record<string, unknown> = {}) =>
    void logged.push(
      `${severity}: ${text.replace(/\{(\w+)\}/g, (_, name) => String(properties[name]))}`,
    );
  const logger = { info: log("info"), warn: log("warn"), error: log("error") };
  return { time, logged, once: new OnceLog(logger, time.clock) };
}

const away = (reason: string) => ({ text: "no answer: {reason}", properties: { reason } });

Deno.test("a problem is logged once, and again when it changes", () => {
  const { once, logged } = setUp();
  assert.ok(once.problem("peer", away("refused")));
  assert.ok(!once.problem("peer", away("refused")));
  assert.ok(once.problem("peer", away("timed out"), "error"));
  assert.deepEqual(logged, ["warn: no answer: refused", "error: no answer: timed out"]);
});

Deno.test("a problem that lasts is logged again every hour", () => {
  const { once, logged, time } = setUp();
  for (let minute = 0; minute <= 120; minute++) {
    once.problem("peer", away("refused"));
    time.skip(60_000);
  }
  assert.equal(logged.length, 3);
});

Deno.test("the end of a problem is logged, and only where there was one", () => {
  const { once, logged } = setUp();
  assert.ok(!once.resolved("peer", { text: "well" }));
  once.problem("peer", away("refused"));
  assert.ok(once.has("peer"));
  assert.ok(once.resolved("peer", { text: "well" }));
  assert.ok(!once.has("peer"));
  once.problem("peer", away("refused"));
  assert.deepEqual(logged, [
    "warn: no answer: refused",
    "info: well",
    "warn: no answer: refused",
  ]);
});

Deno.test("however many subjects have problems, a hundred and one lines tell", () => {
  const { once, logged } = setUp();
  for (let i = 0; i < 1000; i++) once.problem(`peer ${i}`, away("refused"));
  assert.equal(logged.length, 101);
  assert.match(logged[100], /^warn: There are more than 100 such problems/);
});

Deno.test("details that differ each time make no other problem where its kind is told", () => {
  const { logged, once } = setUp();
  for (const id of ["1", "2"]) {
    once.problem("store", { text: "request {id} failed", properties: { id }, kind: "failed" });
  }
  assert.equal(logged.length, 1);
  once.problem("store", { text: "denied", kind: "denied" });
  assert.equal(logged.length, 2);
});

Deno.test("where good and bad alternate, the end is logged once it has been quiet", () => {
  const { once, logged, time } = setUp();
  const over = () => once.resolved("peer", { text: "well" }, { quietMs: 60_000 });
  for (let i = 0; i < 10; i++) {
    once.problem("peer", away("refused"));
    time.skip(30_000);
    assert.ok(!over());
  }
  time.skip(30_000);
  assert.ok(over());
  assert.deepEqual(logged, ["warn: no answer: refused", "info: well"]);
});
