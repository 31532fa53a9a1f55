import assert from "node:assert/strict";
import type { Connection } from "../../../lib/connection.ts";
import { parseDuration } from "../../../lib/base/duration.ts";
import { publish } from "../../../lib/publish.ts";
import type { CheckOutcome } from "../../../lib/fleet/turns/outcome.ts";
import type { DueTurn } from "../../../lib/fleet/turns/turn.ts";
import { Applications, DAY, HOUR, MINUTE, reasons } from "./servers.ts";

const URL_A = "https://a.example.com/feed.xml", URL_B = "https://b.example.com/feed.xml";

const HEADERS = { ETag: '"1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT" };

/** One application that fetches one feed. */
class Application implements AsyncDisposable {
  readonly apps = new Applications();
  readonly web1: Connection = this.apps.connect("web-1");

  async due(url = URL_A, every = "15m"): Promise<DueTurn> {
    const [turn] = await this.apps.due(this.web1, [url], { every });
    assert.ok(turn.due, JSON.stringify(turn));
    return turn;
  }

  async publish(content: string, options = { ifChanged: true }): Promise<void> {
    await this.apps.fleet.time.run(publish(this.web1, { url: URL_A, content }, options));
  }

  async checked(outcome: CheckOutcome, url = URL_A): Promise<number> {
    const { next } = await this.apps.checked(this.web1, url, outcome);
    return Date.parse(next) - this.apps.now;
  }

  pass(ms: number): Promise<void> {
    return this.apps.fleet.time.pass(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.apps[Symbol.asyncDispose]();
  }
}

Deno.test("validators belong to the content that was published since the feed was handed out", async () => {
  await using app = new Application();
  assert.deepEqual((await app.due()).headers, {});
  await app.publish("a");
  await app.checked({ status: 200, headers: HEADERS });
  await app.pass(16 * MINUTE);
  const turn = await app.due();
  assert.deepEqual(turn.validators, { etag: HEADERS.ETag, lastModified: HEADERS["Last-Modified"] });
  assert.deepEqual(turn.headers, {
    "If-None-Match": HEADERS.ETag,
    "If-Modified-Since": HEADERS["Last-Modified"],
  });
});

Deno.test("validators whose content is not known are dropped, also those before", async () => {
  await using app = new Application();
  await app.due();
  await app.publish("a");
  await app.checked({ status: 200, headers: HEADERS });
  await app.pass(16 * MINUTE);
  await app.due();
  await app.checked({ status: 200, headers: { ETag: '"2"' } });
  await app.pass(16 * MINUTE);
  assert.deepEqual((await app.due()).headers, {});
});

Deno.test("content that was published before the feed was handed out is not that of the answer", async () => {
  await using app = new Application();
  for (const every of ["15m", "1m"]) {
    await app.due(URL_A, every);
    await app.publish("a");
    await app.pass(parseDuration(every) * 1.1);
    await app.due(URL_A, every);
    await app.checked({ status: 200, headers: HEADERS });
    await app.pass(16 * MINUTE);
    assert.deepEqual((await app.due(URL_A, every)).headers, {});
    await app.pass(16 * MINUTE);
  }
});

Deno.test("validators of other content than the newest known are not sent", async () => {
  await using app = new Application();
  await app.due();
  await app.checked({ status: 200, headers: HEADERS, content: "a" });
  const web2 = app.apps.connect("web-2");
  await app.apps.fleet.time.run(publish(web2, { url: URL_A, content: "b" }));
  await using received = app.apps.fleet.watch(app.web1);
  await app.apps.fleet.time.run(received.watcher.poll());
  await app.pass(HOUR);
  assert.deepEqual((await app.due()).headers, {});
  await app.checked({ status: 200, headers: HEADERS, content: "b" });
  await app.pass(HOUR);
  assert.equal((await app.due()).validators.etag, HEADERS.ETag);
});

Deno.test("where no update is known, the application itself must have named the content", async () => {
  await using app = new Application();
  await app.due();
  await app.checked({ status: 200, headers: HEADERS, content: { a: [1] } });
  await app.pass(HOUR);
  assert.equal((await app.due()).validators.etag, HEADERS.ETag);
});

Deno.test("a removed feed has no validators", async () => {
  await using app = new Application();
  await app.due();
  await app.checked({ status: 200, headers: HEADERS, removed: true });
  await app.pass(HOUR);
  assert.deepEqual((await app.due()).headers, {});
});

Deno.test("a 304 keeps validators and completes them, an error keeps them", async () => {
  await using app = new Application();
  await app.due();
  await app.checked({ status: 200, headers: { ETag: '"1"' }, content: "a" });
  await app.pass(HOUR);
  await app.due();
  await app.checked({ status: 304, headers: { ...HEADERS, ETag: '"1-gzip"' } });
  await app.pass(HOUR);
  await app.due();
  await app.checked({ status: 500, headers: { ETag: '"3"' } });
  await app.pass(HOUR);
  assert.deepEqual((await app.due()).validators, {
    etag: '"1"',
    lastModified: HEADERS["Last-Modified"],
  });
});

Deno.test("a 304 without validators makes none: the request was not that of this server", async () => {
  await using app = new Application();
  await app.due();
  await app.checked({ status: 304, headers: HEADERS });
  await app.pass(HOUR);
  assert.deepEqual((await app.due()).headers, {});
  await app.checked({ status: 200, headers: { ETag: '"1"' }, content: "a" });
  await app.checked({ status: 304, headers: HEADERS });
  await app.pass(HOUR);
  assert.deepEqual((await app.due()).headers, { "If-None-Match": '"1"' });
});

Deno.test("publishing with ifChanged counts as a check, without it it does not", async () => {
  await using app = new Application();
  await app.due();
  await app.publish("a");
  assert.deepEqual(reasons(await app.apps.due(app.web1, [URL_A])), ["fresh"]);
  await app.pass(16 * MINUTE);
  await app.due();
  await app.publish("a");
  const [turn] = await app.apps.due(app.web1, [URL_A]);
  assert.equal(turn.due || turn.reason, "fresh", "it was found unchanged");
  await app.pass(16 * MINUTE);
  await app.due();
  await app.publish("a", { ifChanged: false });
  assert.deepEqual(reasons(await app.apps.due(app.web1, [URL_A])), ["leased"]);
});

Deno.test("the next turn comes after the interval, max-age or ttl, whichever is longest", async () => {
  await using app = new Application();
  await app.due();
  const headers = { "Cache-Control": "max-age=7200" };
  const regular = await app.checked({ status: 200 });
  assert.ok(regular >= 15 * MINUTE && regular <= 15.75 * MINUTE);
  assert.equal(await app.checked({ status: 200, headers }), 2 * HOUR);
  assert.equal(await app.checked({ status: 200, headers, ttl: "3h" }), 3 * HOUR);
  assert.equal(
    await app.checked({ status: 304, headers }),
    3 * HOUR,
    "the content has not changed",
  );
  assert.equal(await app.checked({ status: 200, ttl: "7d" }), DAY);
  assert.ok(await app.checked({ status: 200 }) <= 15.75 * MINUTE);
});

Deno.test("publishing does not take back what the publisher asked for", async () => {
  await using app = new Application();
  await app.due();
  await app.checked({ status: 429, headers: { "Retry-After": "7200" } });
  await app.publish("a");
  await app.pass(HOUR);
  assert.deepEqual(reasons(await app.apps.due(app.web1, [URL_A])), ["backoff"]);
});

Deno.test("failures in a row are further and further apart, and a success ends that", async () => {
  await using app = new Application();
  await app.due();
  for (let failures = 0; failures < 12; failures++) {
    const bound = Math.min(DAY, 15 * MINUTE * 2 ** failures);
    const delay = await app.checked({ error: "no answer" });
    assert.ok(delay >= 0.9 * bound && delay <= Math.max(bound, 15.75 * MINUTE), String(delay));
  }
  const [turn] = await app.apps.due(app.web1, [URL_A]);
  assert.ok(!turn.due && turn.reason === "backoff" && turn.until !== undefined);
  assert.ok(await app.checked({ status: 200 }) <= 15.75 * MINUTE);
});

Deno.test("Retry-After holds the feed, or by scope its host or its domain, and the others not", async () => {
  const urls = {
    same: "https://a.example.com/other.xml",
    domain: URL_B,
    other: "https://example.org/feed.xml",
  };
  const expected = {
    url: ["due", "leased", "due"],
    host: ["backoff", "due", "due"],
    domain: ["backoff", "backoff", "due"],
  };
  for (const [scope, held] of Object.entries(expected)) {
    await using app = new Application();
    await app.due();
    const headers = { "Retry-After": "3600" };
    const delay = await app.checked({
      status: 503,
      headers,
      scope: scope as keyof typeof expected,
    });
    assert.equal(delay, HOUR);
    const turns = await app.apps.due(app.web1, Object.values(urls));
    const seen = reasons(turns);
    if (scope === "url") assert.deepEqual(seen.toSorted(), held.toSorted());
    else assert.deepEqual(seen, held);
    await app.pass(HOUR);
    assert.ok(reasons(await app.apps.due(app.web1, [URL_A]))[0] === "due");
  }
});

Deno.test("a redirect and a feed that is gone are told, and change nothing", async () => {
  await using app = new Application();
  await app.due();
  const headers = { Location: "https://example.org/new" };
  const moved = await app.apps.checked(app.web1, URL_A, { status: 301, headers });
  assert.equal(moved.movedTo, "https://example.org/new");
  assert.equal(moved.url, URL_A);
  const gone = await app.apps.checked(app.web1, URL_A, { status: 410 });
  assert.equal(gone.gone, true);
  assert.ok(Date.parse(gone.next) <= app.apps.now + 15.75 * MINUTE);
});

Deno.test("a feed that was never asked for can be checked", async () => {
  await using app = new Application();
  const { next, url } = await app.apps.checked(app.web1, "HTTPS://A.example.com/feed.xml", {
    status: 200,
  });
  assert.deepEqual([url, Date.parse(next)], [URL_A, app.apps.now]);
  assert.deepEqual(reasons(await app.apps.due(app.web1, [URL_A])), ["fresh"]);
});

Deno.test("an outcome that is none, or a URL, is refused, and changes nothing", async () => {
  await using app = new Application();
  await app.due();
  await assert.rejects(app.checked({ status: 700 }), /'status' must be an HTTP status/);
  await assert.rejects(app.checked({ status: 200, ttl: "x" }), RangeError);
  await assert.rejects(app.checked({ status: 200 }, "x"), { name: "InvalidUpdateError" });
  assert.deepEqual(reasons(await app.apps.due(app.web1, [URL_A])), ["leased"]);
});
