import assert from "node:assert/strict";
import {
  backoffMs,
  LEASE_MS,
  leaseEnd,
  nextTurn,
  slackMs,
} from "../../../lib/fleet/turns/schedule.ts";
import { DAY, HOUR, MINUTE } from "./servers.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

const CHECKED = { everyMs: 15 * MINUTE, checkedAt: NOW, notBefore: 0, phase: 0.5 };

Deno.test("a feed that was never checked is overdue", () => {
  assert.equal(nextTurn({ ...CHECKED, checkedAt: 0 }, NOW), 0);
});

Deno.test("turns are spread over five per cent of the interval, differently each time", () => {
  const delays = Array.from({ length: 1000 }, (_, index) => {
    const checkedAt = NOW + 977 * index;
    return nextTurn({ ...CHECKED, checkedAt, phase: (index * 0.37) % 1 }, checkedAt) - checkedAt;
  });
  assert.ok(Math.min(...delays) >= 15 * MINUTE && Math.max(...delays) <= 15.75 * MINUTE);
  assert.ok(Math.max(...delays) - Math.min(...delays) > 0.7 * MINUTE);
  assert.ok(new Set(delays).size > 500);
});

Deno.test("times beyond now do not count: a clock was set back", () => {
  assert.equal(nextTurn({ ...CHECKED, checkedAt: NOW + HOUR }, NOW), 0);
  assert.ok(nextTurn({ ...CHECKED, checkedAt: NOW + 1000 }, NOW) > NOW + 15 * MINUTE);
  assert.ok(nextTurn({ ...CHECKED, notBefore: NOW + DAY }, NOW) === NOW + DAY);
  assert.ok(nextTurn({ ...CHECKED, notBefore: NOW + 2 * DAY }, NOW) < NOW + HOUR);
  assert.equal(leaseEnd(NOW + LEASE_MS, NOW), NOW + LEASE_MS);
  assert.equal(leaseEnd(NOW, NOW), 0);
  assert.equal(leaseEnd(NOW + DAY, NOW), 0);
});

Deno.test("a turn may come a little early, but never before the publisher wants it", () => {
  const early = nextTurn(CHECKED, NOW), slack = slackMs(15 * MINUTE, 15 * MINUTE);
  assert.equal(slack, 1.5 * MINUTE);
  assert.equal(nextTurn(CHECKED, NOW, slack), early - slack);
  const held = { ...CHECKED, notBefore: NOW + HOUR };
  assert.equal(nextTurn(held, NOW, slack), NOW + HOUR);
  assert.equal(slackMs(15 * MINUTE, MINUTE), MINUTE / 2);
});

Deno.test("backoff doubles from the interval, at least a minute, up to a day", () => {
  assert.equal(backoffMs(1000, 1, 0), MINUTE);
  assert.equal(backoffMs(15 * MINUTE, 1, 0), 15 * MINUTE);
  assert.equal(backoffMs(15 * MINUTE, 3, 0), HOUR);
  assert.equal(backoffMs(15 * MINUTE, 3, 1), 0.9 * HOUR);
  assert.equal(backoffMs(15 * MINUTE, 1000, 0), DAY);
});
