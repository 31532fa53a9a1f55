import assert from "node:assert/strict";
import { StoreClock } from "../../lib/log/store_clock.ts";

/** A local clock that can be set, and one that cannot. */
function clocks() {
  const time = { local: 1_000_000, elapsed: 0 };
  const clock = { now: () => time.local, elapsed: () => time.elapsed, setTimer: () => () => {} };
  const pass = (ms: number) => {
    time.local += ms;
    time.elapsed += ms;
  };
  return { time, clock, pass };
}

Deno.test("the store's time goes on as it was noted when the local clock is set", () => {
  const { time, clock, pass } = clocks();
  const storeClock = new StoreClock({ clockOffset: 500 }, { clock });
  storeClock.note();
  pass(10_000);
  time.local -= 3_600_000;
  assert.equal(storeClock.now(), 1_010_500);
});

Deno.test("before the store has told its time, what was remembered of it counts", () => {
  const { clock, pass } = clocks();
  const memory = { clockOffset: -2_000, noteClockOffset: () => {} };
  const storeClock = new StoreClock({ clockOffset: undefined }, { clock, memory });
  storeClock.note();
  pass(1_000);
  assert.equal(storeClock.now(), 999_000);
});
