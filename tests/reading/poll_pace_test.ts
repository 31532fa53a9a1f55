import assert from "node:assert/strict";
import { PollPace } from "../../lib/reading/poll_pace.ts";

const RANGE = { min: 1000, max: 30_000 };
const latest = { uuid: () => "", token: () => "", fraction: () => 0 };
const earliest = { ...latest, fraction: () => 0.999 };

Deno.test("polls are quick while they find something", () => {
  const pace = new PollPace(RANGE, latest);
  for (let i = 0; i < 20; i++) pace.polled(false);
  pace.polled(true);
  assert.equal(pace.next(), RANGE.min);
});

Deno.test("polls get slower while nothing is found, and the store does not answer, but never slower than max", () => {
  for (const slow of ["polled", "failed"] as const) {
    const pace = new PollPace(RANGE, latest);
    let before = pace.next();
    for (let i = 0; i < 20; i++) {
      pace[slow](false);
      const now = pace.next();
      assert.ok(now > before || now === RANGE.max);
      before = now;
    }
    assert.equal(before, RANGE.max);
  }
});

Deno.test("servers do not all poll at once", () => {
  const [one, other] = [new PollPace(RANGE, latest), new PollPace(RANGE, earliest)];
  assert.ok(other.next() < one.next());
  assert.ok(other.next() > 0.8 * one.next());
});
