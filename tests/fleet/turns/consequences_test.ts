import assert from "node:assert/strict";
import { type Consequences, consequencesOf } from "../../../lib/fleet/turns/consequences.ts";
import type { CheckOutcome } from "../../../lib/fleet/turns/outcome.ts";
import { DAY, HOUR, MINUTE } from "./servers.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z"), SECOND = 1000;

function after(outcome: CheckOutcome): Consequences {
  const url = "https://example.com/a/feed.xml";
  return consequencesOf(outcome, { url, schemes: ["http", "https"], now: NOW });
}

function pauseAfter(status: number, headers: Record<string, string>): number | undefined {
  return after({ status, headers }).pauseMs;
}

Deno.test("an answer is a success, unless it is an error or there is none", () => {
  for (const status of [200, 204, 226, 301, 302, 304, 307, 308, 410]) {
    assert.ok(after({ status }).isSuccess, String(status));
  }
  for (const status of [100, 305, 400, 401, 404, 429, 500, 503, 599]) {
    assert.ok(!after({ status }).isSuccess, String(status));
  }
  assert.ok(!after({}).isSuccess);
  assert.ok(!after({ status: 200, error: "no feed" }).isSuccess);
  for (const status of [0, 99, 600, 200.5, NaN]) assert.throws(() => after({ status }), RangeError);
});

Deno.test("max-age counts without the age of the answer, and no longer than a day", () => {
  const pauses: [Record<string, string>, number | undefined][] = [
    [{ "Cache-Control": "max-age=3600" }, HOUR],
    [{ "cache-control": 'public, Max-Age="60", must-revalidate' }, MINUTE],
    [{ "Cache-Control": "max-age=3600", Age: "600" }, 50 * MINUTE],
    [{ "Cache-Control": "max-age=60", Age: "600" }, 0],
    [{ "Cache-Control": "max-age=60", Age: "-600" }, MINUTE],
    [{ "Cache-Control": "max-age=99999999999999999999" }, DAY],
    [{ "Cache-Control": "no-cache, max-age=3600" }, undefined],
    [{ "Cache-Control": "max-age=3600, no-store" }, undefined],
    [{ "Cache-Control": "max-age=-1" }, undefined],
    [{ "Cache-Control": "s-maxage=60" }, undefined],
    [{ "Retry-After": "60" }, undefined],
    [{}, undefined],
  ];
  for (const [headers, pause] of pauses) {
    assert.equal(pauseAfter(200, headers), pause, JSON.stringify(headers));
    assert.equal(pauseAfter(304, headers), pause);
  }
});

Deno.test("Retry-After counts in seconds and as a date, and no longer than a day", () => {
  const pauses: [Record<string, string>, number | undefined][] = [
    [{ "Retry-After": "120" }, 2 * MINUTE],
    [{ "Retry-After": "0" }, 0],
    [{ "Retry-After": "9999999999" }, DAY],
    [{ "Retry-After": "Thu, 01 Jan 2026 01:00:00 GMT" }, HOUR],
    [{ "Retry-After": "Thursday, 01-Jan-26 01:00:00 GMT" }, HOUR],
    [{ "Retry-After": "Thu Jan  1 01:00:00 2026" }, HOUR],
    [{ "Retry-After": "Wed, 31 Dec 2025 00:00:00 GMT" }, 0],
    [{ "Retry-After": "Fri, 01 Jan 2027 00:00:00 GMT" }, DAY],
    [
      { "Retry-After": "Thu, 01 Jan 2026 01:00:00 GMT", Date: "Thu, 01 Jan 2026 00:59:30 GMT" },
      30 * SECOND,
    ],
    [{ "Retry-After": "120", Date: "Thu, 01 Jan 1970 00:00:00 GMT" }, 2 * MINUTE],
    [{ "Retry-After": "soon" }, undefined],
    [{ "Retry-After": "-5" }, undefined],
    [{ "Retry-After": "1.5" }, undefined],
    [{ "Retry-After": "Thu, nonsense" }, undefined],
    [{}, undefined],
  ];
  for (const [headers, pause] of pauses) {
    assert.equal(pauseAfter(429, headers), pause, JSON.stringify(headers));
    assert.equal(pauseAfter(503, headers), pause);
  }
  assert.equal(pauseAfter(500, { "Retry-After": "120" }), undefined);
});

Deno.test("a permanent redirect is told with its absolute target, if a feed can be there", () => {
  const targets: [string, string | undefined][] = [
    ["https://new.example.com/feed", "https://new.example.com/feed"],
    ["../feed.xml#top", "https://example.com/feed.xml"],
    ["//cdn.example.com/feed", "https://cdn.example.com/feed"],
    ["feed.xml", undefined],
    ["javascript:alert(1)", undefined],
    ["file:///etc/passwd", undefined],
    ["http://[", undefined],
  ];
  for (const [location, movedTo] of targets) {
    assert.equal(after({ status: 301, headers: { location } }).movedTo, movedTo, location);
    assert.equal(after({ status: 308, headers: new Headers({ location }) }).movedTo, movedTo);
    assert.equal(after({ status: 302, headers: { location } }).movedTo, undefined);
  }
  assert.equal(after({ status: 301 }).movedTo, undefined);
});

Deno.test("only 410 says that a feed is gone", () => {
  assert.ok(after({ status: 410 }).isGone);
  assert.ok(!after({ status: 404 }).isGone);
});

Deno.test("validators that cannot be sent back are left out, and so are headers that are none", () => {
  const { validators } = after({
    status: 200,
    headers: { ETag: 'W/"a b"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT" },
  });
  assert.deepEqual(validators, {
    etag: 'W/"a b"',
    lastModified: "Thu, 01 Jan 2026 00:00:00 GMT",
  });
  for (const etag of ["", "é", "a".repeat(1025), "a\r\nX: b"]) {
    assert.deepEqual(after({ status: 200, headers: { etag, "no name": "x" } }).validators, {});
  }
});

Deno.test("the feed's own ttl counts, and no longer than a day", () => {
  assert.equal(after({ status: 200, ttl: "1h" }).ttlMs, HOUR);
  assert.equal(after({ status: 200, ttl: "7d" }).ttlMs, DAY);
  assert.equal(after({ status: 200 }).ttlMs, undefined);
  assert.throws(() => after({ status: 200, ttl: "soon" }), RangeError);
});
