import assert from "node:assert/strict";
import { encodeChecks, type FeedCheck } from "../../lib/log/fleet/checks.ts";
import { encodeList } from "../../lib/log/fleet/feed_list.ts";
import { listKey, presenceName } from "../../lib/log/fleet/names.ts";
import { packBody } from "../../lib/log/codec.ts";
import { TurnEngine } from "../../lib/fleet/turns/turn_engine.ts";
import { publish } from "../../lib/publish.ts";
import { hashOf } from "../../lib/update.ts";
import { Applications, DAY, feedsOf, HOUR, MINUTE, reasons } from "../fleet/turns/servers.ts";

/** A server that somebody else plays, who can write to the bucket. */
class Impostor {
  readonly #apps: Applications;
  readonly #server: string;

  constructor(apps: Applications, server = "web-9") {
    this.#apps = apps;
    this.#server = server;
  }

  async appear(list: string, { weight = 1000 } = {}): Promise<void> {
    const { store } = this.#apps.fleet;
    for (const key of this.#apps.fleet.keys(`present/${this.#server}`)) store.objects.delete(key);
    const stream = `${this.#server}_zzzzzzzz`;
    const name = presenceName({ stream, writer: "zzzzzzzz", interval: 60, weight, list });
    await store.put(name.key, new Uint8Array());
  }

  leave(): void {
    const { fleet } = this.#apps;
    for (const key of fleet.keys(`present/${this.#server}`)) fleet.store.objects.delete(key);
  }

  async check(feeds: readonly FeedCheck[], held: { host: string; until: number }[] = []) {
    for (const { key, body } of encodeChecks(this.#server, { feeds, held })) {
      await this.#apps.fleet.store.put(key, body);
    }
  }
}

/** Hashes of the feeds and their domains, as all servers make them. */
async function hashesOf(apps: Applications, urls: readonly string[]) {
  const { newest } = apps.fleet.log;
  const hashes = await Promise.all(urls.map(async (url) => ({
    feed: await newest.hashOf(url),
    domain: await newest.hashOf(new URL(url).hostname),
  })));
  return hashes.sort((a, b) => a.feed < b.feed ? -1 : 1);
}

Deno.test("a server whose list cannot be read takes nothing away", async () => {
  await using apps = new Applications();
  const urls = feedsOf(10), digest = "d".repeat(32), impostor = new Impostor(apps);
  const bodies = [
    undefined,
    new Uint8Array(),
    new TextEncoder().encode("no list"),
    packBody({ kind: "list", suffixes: "1", maxPerDomain: 1, count: 0 }, []),
    packBody({ kind: "list", suffixes: 1, maxPerDomain: "x", count: 1 }, ["x".repeat(64)]),
  ];
  await impostor.appear(digest);
  for (const [index, body] of bodies.entries()) {
    if (body) await apps.fleet.store.put(listKey(digest), body);
    const web = apps.connect(`web-${index}`);
    const turns = await apps.due(web, urls);
    assert.ok(turns.every((turn) => turn.due || turn.owner !== "web-9"));
    assert.ok(turns.some((turn) => turn.due) || index > 0);
    await apps.fleet.time.pass(MINUTE);
    await impostor.appear(digest);
    const more = await apps.due(web, [...urls, `https://more-${index}.com/`]);
    assert.ok(more.every((turn) => turn.due || turn.owner !== "web-9"));
  }
});

Deno.test("a list that holds no feed of this server changes nothing, whatever it says of domains", async () => {
  await using apps = new Applications();
  const urls = feedsOf(10);
  const list = encodeList({ feeds: [], suffixes: "\u0000".repeat(1000), maxPerDomain: -5 });
  await apps.fleet.store.put(listKey(list.digest), list.body);
  await new Impostor(apps).appear(list.digest);
  const web1 = apps.connect("web-1");
  assert.ok(reasons(await apps.due(web1, urls)).every((reason) => reason === "due"));
});

Deno.test("lists that are too large for the state count as having no feeds", async () => {
  await using apps = new Applications();
  const urls = feedsOf(10), hashes = await hashesOf(apps, urls);
  const list = encodeList({ feeds: hashes, suffixes: "7.5.0", maxPerDomain: 100 });
  await apps.fleet.store.put(listKey(list.digest), list.body);
  await new Impostor(apps).appear(list.digest);
  const web1 = apps.connect("web-1"), parts = web1.parts!;
  const engine = (maxListBytes: number) =>
    new TurnEngine(parts, {
      ...{ server: "web-1", schemes: ["https"], member: parts.member, maxListBytes },
      turns: { idleMs: undefined, maxPerDomain: 100, weight: 1 },
      keepOpen: (work) => web1.keepOpen(work),
    });
  const ask = { everyMs: 15 * MINUTE, limit: 0, signal: web1.closed };
  const small = await apps.fleet.time.run(engine(10).due(urls, ask));
  assert.ok(small.every((turn) => !turn.due && turn.reason === "limit"));
  const large = await apps.fleet.time.run(engine(10_000).due(urls, ask));
  assert.ok(large.some((turn) => !turn.due && turn.owner === "web-9"));
});

Deno.test("a server with all the weight starves no feed for longer than it is there", async () => {
  await using apps = new Applications();
  const urls = feedsOf(10), hashes = await hashesOf(apps, urls), impostor = new Impostor(apps);
  const list = encodeList({ feeds: hashes, suffixes: "0.0.0", maxPerDomain: 1 });
  await apps.fleet.store.put(listKey(list.digest), list.body);
  await impostor.appear(list.digest);
  const web1 = apps.connect("web-1");
  assert.ok(reasons(await apps.due(web1, urls)).includes("owner"));
  for (let minute = 0; minute < 8; minute++) {
    await apps.due(web1, urls, { limit: 0 });
    await apps.fleet.time.pass(MINUTE);
  }
  assert.ok(reasons(await apps.due(web1, urls)).every((reason) => reason === "due"));
});

Deno.test("checks that cannot be right hold no feed, and cannot be put into a header", async () => {
  await using apps = new Applications();
  const urls = feedsOf(4), impostor = new Impostor(apps);
  const { newest } = apps.fleet.log, now = apps.now;
  const hashes = await hashesOf(apps, urls);
  const list = encodeList({ feeds: hashes, suffixes: "7.6.0", maxPerDomain: 100 });
  await apps.fleet.store.put(listKey(list.digest), list.body);
  await impostor.appear(list.digest);
  const web1 = apps.connect("web-1");
  await apps.due(web1, urls, { limit: 0 });
  const validators = { etag: '"1"\r\nX-Evil: 1', lastModified: "x\u0000", hash: "h" };
  const check = { failures: 1e9, notBefore: 0, checkedAt: 1, validators };
  const feeds = await Promise.all(urls.map((url) => newest.hashOf(url)));
  await impostor.check([
    { ...check, feed: feeds[0], checkedAt: now + HOUR },
    { ...check, feed: feeds[1], notBefore: now + 30 * DAY },
    { ...check, feed: feeds[2], checkedAt: Number.MAX_SAFE_INTEGER },
    { ...check, feed: feeds[3] },
  ], [{ host: await newest.hashOf("site-0.com"), until: now + 365 * DAY }]);
  impostor.leave();
  for (let minute = 0; minute < 5; minute++) {
    await apps.due(web1, urls, { limit: 0 });
    await apps.fleet.time.pass(MINUTE);
  }
  const { turns: known } = web1.parts!.state;
  const rows = known.changedAfter(0).filter(({ feed }) => feed !== feeds[1]);
  assert.deepEqual(rows.map(({ checkedAt }) => checkedAt).sort(), [0, 0, 1]);
  assert.ok(rows.every(({ etag, lastModified }) => etag === null && lastModified === null));
  assert.deepEqual(known.held(apps.now, 10), []);
  const turns = await apps.due(web1, urls);
  assert.deepEqual(reasons(turns), ["due", "due", "due", "due"]);
  assert.ok(turns.every((turn) => turn.due && Object.keys(turn.headers).length === 0));
});

Deno.test("checks that are damaged, huge or missing hold nothing up", async () => {
  for (const body of [undefined, new Uint8Array([1]), packBody({ kind: "x", count: 0 }, [])]) {
    await using apps = new Applications();
    const urls = feedsOf(3), impostor = new Impostor(apps);
    const list = encodeList({
      feeds: await hashesOf(apps, urls),
      suffixes: "7.6.0",
      maxPerDomain: 100,
    });
    await apps.fleet.store.put(listKey(list.digest), list.body);
    if (body) await apps.fleet.store.put("checks/web-9/0000", body);
    await impostor.appear(list.digest);
    const web1 = apps.connect("web-1");
    await apps.due(web1, urls, { limit: 0 });
    impostor.leave();
    for (let minute = 0; minute < 4; minute++) {
      await apps.due(web1, urls, { limit: 0 });
      await apps.fleet.time.pass(MINUTE);
    }
    assert.ok(reasons(await apps.due(web1, urls)).every((reason) => reason === "due"));
  }
});

Deno.test("checks that compress to little are not read without end", async () => {
  await using apps = new Applications();
  const { store, log } = apps.fleet, parts = 200;
  const line = JSON.stringify({
    feed: "a".repeat(32),
    checkedAt: 1,
    notBefore: 1,
    failures: 0,
    validators: { etag: "x".repeat(1000), hash: "h" },
  });
  const lines = new Array<string>(9000).fill(line);
  for (let part = 0; part < 20; part++) {
    const header = { kind: "checks", server: "web-9", part, parts, count: lines.length };
    await store.put(`checks/web-9/${String(part).padStart(4, "0")}`, packBody(header, lines));
  }
  const checks = await log.fleet.readChecks("web-9");
  assert.ok(checks!.feeds.length < 100_000, String(checks!.feeds.length));
  assert.ok(store.requests.get < 10);
});

Deno.test("a list that compresses to little is none", async () => {
  await using apps = new Applications();
  const feeds = new Array(500_000).fill({ feed: "a".repeat(32), domain: "b".repeat(32) });
  const { digest, body } = encodeList({ feeds, suffixes: "7.6.0", maxPerDomain: 100 });
  assert.ok(body.length < 100_000);
  await apps.fleet.store.put(listKey(digest), body);
  await assert.rejects(apps.fleet.log.fleet.readList(digest), /repeats hashes/);
});

Deno.test("lists that nobody names any more make room for those that are named", async () => {
  await using apps = new Applications();
  const urls = feedsOf(10), hashes = await hashesOf(apps, urls), impostor = new Impostor(apps);
  const lists = Array.from(
    { length: 9 },
    (_, index) => encodeList({ feeds: hashes.slice(index), suffixes: "7.5.0", maxPerDomain: 100 }),
  );
  const web1 = apps.connect("web-1"), parts = web1.parts!;
  const engine = new TurnEngine(parts, {
    ...{ server: "web-1", schemes: ["https"], member: parts.member, maxListBytes: 2000 },
    turns: { idleMs: undefined, maxPerDomain: 100, weight: 1 },
    keepOpen: (work) => web1.keepOpen(work),
  });
  const ask = { everyMs: 15 * MINUTE, limit: 0, signal: web1.closed };
  for (const { digest, body } of lists) {
    await apps.fleet.store.put(listKey(digest), body);
    await impostor.appear(digest);
    await apps.fleet.time.pass(MINUTE);
    const turns = await apps.fleet.time.run(engine.due(urls, ask));
    assert.ok(turns.some((turn) => !turn.due && turn.owner === "web-9"));
    assert.ok(parts.state.turns.listBytes() <= 2000);
  }
});

Deno.test("invented checks hold feeds for a day at most", async () => {
  await using apps = new Applications();
  const urls = feedsOf(4), impostor = new Impostor(apps), hashes = await hashesOf(apps, urls);
  const list = encodeList({ feeds: hashes, suffixes: "7.6.0", maxPerDomain: 100 });
  await apps.fleet.store.put(listKey(list.digest), list.body);
  await impostor.appear(list.digest);
  const web1 = apps.connect("web-1");
  await apps.due(web1, urls, { limit: 0 });
  const check = { checkedAt: apps.now, notBefore: apps.now + DAY, failures: 0 };
  await impostor.check(hashes.map(({ feed }) => ({ feed, ...check })));
  impostor.leave();
  for (let minute = 0; minute < 5; minute++) {
    await apps.due(web1, urls, { limit: 0 });
    await apps.fleet.time.pass(MINUTE);
  }
  assert.ok(reasons(await apps.due(web1, urls)).includes("fresh"));
  await apps.fleet.time.pass(DAY);
  assert.deepEqual(new Set(reasons(await apps.due(web1, urls))), new Set(["due"]));
});

Deno.test("an invented validator of the newest content is sent, of other content never", async () => {
  await using apps = new Applications();
  const urls = feedsOf(2), impostor = new Impostor(apps), hashes = await hashesOf(apps, urls);
  const list = encodeList({ feeds: hashes, suffixes: "7.6.0", maxPerDomain: 100 });
  await apps.fleet.store.put(listKey(list.digest), list.body);
  await impostor.appear(list.digest);
  const web1 = apps.connect("web-1");
  await apps.due(web1, urls, { limit: 0 });
  for (const url of urls) await apps.fleet.time.run(publish(web1, { url, content: "known" }));
  const contents = ["known", "another"], feeds: FeedCheck[] = [];
  for (const [index, content] of contents.entries()) {
    const validators = { etag: '"invented"', hash: hashOf({ content })! };
    const feed = await apps.fleet.log.newest.hashOf(urls[index]);
    feeds.push({ feed, checkedAt: apps.now, notBefore: 0, failures: 0, validators });
  }
  await impostor.check(feeds);
  impostor.leave();
  for (let minute = 0; minute < 20; minute++) {
    await apps.due(web1, urls, { limit: 0 });
    await apps.fleet.time.pass(MINUTE);
  }
  const turns = await apps.due(web1, urls);
  assert.deepEqual(turns.map((turn) => turn.due && turn.validators.etag), [
    '"invented"',
    undefined,
  ]);
});
