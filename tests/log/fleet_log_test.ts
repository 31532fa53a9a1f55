import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import { CorruptObjectError, MissingKeyError, UnsupportedFormatError } from "../../lib/errors.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import type { FeedCheck } from "../../lib/log/fleet/checks.ts";
import { encodeList, type ListedFeed } from "../../lib/log/fleet/feed_list.ts";
import { listKey, parsePresenceKey, presenceName } from "../../lib/log/fleet/names.ts";
import type { PresenceReport } from "../../lib/log/fleet/presence.ts";
import { Keys } from "../encryption/keys.ts";
import { Fleet } from "../fixture.ts";

const name = presenceName({
  stream: "web-1_abcdefgh",
  writer: "aaaaaaaa",
  interval: 300,
  weight: 1,
  list: undefined,
});

const time = "2026-01-01T00:00:00.000Z";

const report: PresenceReport = {
  version: "0.2.0",
  formats: { reader: 1, written: 1 },
  started: time,
  written: time,
  retention: 86_400,
  streams: [{ stream: "web-2_abcdefgh", applied: 1, end: 2, behindSeconds: 3, held: "damaged" }],
  behindSeconds: 3,
  lastPublished: null,
  queued: 0,
  deadLetters: { log: 1 },
  gaps: 0,
  lastError: { message: "refused", time },
  requests: { put: 1, get: 2, list: 3, delete: 4 },
  feeds: 5,
};

const hash = (number: number) =>
  createHash("sha256").update(String(number)).digest("hex").slice(0, 32);

const list = (count: number, suffixes = "7.6.0") => {
  const feeds: ListedFeed[] = Array.from({ length: count }, (_, index) => ({
    feed: hash(index),
    domain: hash(index % 7),
  }));
  return { feeds, suffixes, maxPerDomain: 100 };
};

function body(...lines: unknown[]): Uint8Array {
  return zstdCompressSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

const HEADER = {
  feedsync: 1,
  format: 1,
  kind: "presence",
  stream: name.stream,
  server: "web-1",
  writer: "aaaaaaaa",
  count: 1,
};

Deno.test("keys of presences are read as they are made, and others are foreign", () => {
  const turns = presenceName({ ...name, interval: 60, weight: 3, list: "a".repeat(32) });
  for (const made of [name, turns]) assert.deepEqual(parsePresenceKey(made.key), made);
  for (
    const foreign of [
      "present/web-1/aaaaaaaa.300.1.-",
      "present/web-1_abcdefgh/aaaaaaaa.0.1.-",
      "present/web-1_abcdefgh/aaaaaaaa.300.0.-",
      "present/web-1_abcdefgh/aaaaaaaa.300.1",
      "present/web-1_abcdefgh/aaaaaaaa.300.1.AAAA",
      "present/../tail/aaaaaaaa.300.1.-",
      "present/notes.txt",
    ]
  ) assert.equal(parsePresenceKey(foreign), undefined, foreign);
});

Deno.test("a presence is read as it was written, and unknown members are left out", async () => {
  await using fleet = new Fleet();
  const { log: { fleet: log }, store } = fleet;
  await log.writePresence(name, report);
  assert.deepEqual(await log.readPresence(name), { report, isPlain: false });
  await store.put(name.key, body(HEADER, { ...report, colour: "blue" }));
  assert.deepEqual((await log.readPresence(name))?.report, report);
});

Deno.test("a presence with odd members is read as far as it makes sense", async () => {
  await using fleet = new Fleet();
  const { log: { fleet: log }, store } = fleet;
  const odd = {
    started: time,
    written: time,
    version: 7,
    streams: "none",
    deadLetters: { log: -1, long: "x" },
    lastError: { message: "x".repeat(10_000), time },
    requests: null,
    behindSeconds: -5,
  };
  await store.put(name.key, body(HEADER, odd));
  const { report: read } = (await log.readPresence(name))!;
  assert.equal(read.version, "unknown");
  assert.deepEqual(read.streams, []);
  assert.deepEqual(read.requests, { put: 0, get: 0, list: 0, delete: 0 });
  assert.equal(read.behindSeconds, null);
  assert.equal(read.lastError?.message.length, 500);
});

Deno.test("a presence cannot name plugins and domains without end", async () => {
  await using fleet = new Fleet();
  const { log: { fleet: log }, store } = fleet;
  const many = Array.from({ length: 100_000 }, (_, index) => `name-${index}`);
  const deadLetters = Object.fromEntries(many.map((plugin) => [plugin, 1]));
  const turns = { feeds: 1, owned: 1, overdue: 1, slowDomains: many, suffixes: "1" };
  await store.put(name.key, body(HEADER, { ...report, deadLetters, turns }));
  const { report: read } = (await log.readPresence(name))!;
  assert.equal(Object.keys(read.deadLetters).length, 100);
  assert.equal(read.turns!.slowDomains.length, 100);
});

Deno.test("a presence that is damaged, of another server or of a newer version is told as that", async () => {
  await using fleet = new Fleet();
  const { log: { fleet: log }, store } = fleet;
  const read = async (bytes: Uint8Array) => {
    await store.put(name.key, bytes);
    return await log.readPresence(name);
  };
  await assert.rejects(read(body({ ...HEADER, server: "web-2" }, report)), CorruptObjectError);
  await assert.rejects(read(body(HEADER, { version: "1" })), CorruptObjectError);
  await assert.rejects(read(body(HEADER, [])), CorruptObjectError);
  await assert.rejects(read(body(HEADER, { ...report, started: "noon" })), {
    name: "CorruptObjectError",
    message: /malformed.*Invalid ISO datetime/s,
  });
  await assert.rejects(read(body(HEADER, report, report)), CorruptObjectError);
  await assert.rejects(read(new Uint8Array([1, 2, 3])), CorruptObjectError);
  await assert.rejects(read(body({ ...HEADER, feedsync: 2 }, report)), UnsupportedFormatError);
  assert.equal(await log.readPresence({ ...name, key: `${name.key}x` }), undefined);
});

Deno.test("a list is read as it was written, however long, and its digest tells whether it is", async () => {
  await using fleet = new Fleet();
  const { log: { fleet: log }, store } = fleet;
  for (const count of [0, 1, 100, 101, 12_345]) {
    const written = list(count), encoded = encodeList(written);
    await log.writeList(encoded);
    assert.deepEqual(await log.readList(encoded.digest), written);
    assert.equal(encodeList(list(count, "7.7.0")).digest === encoded.digest, false);
  }
  const [one, other] = [encodeList(list(1)), encodeList(list(2))];
  await store.put(listKey(one.digest), other.body);
  await assert.rejects(log.readList(one.digest), /another digest/);
  await store.put(listKey(one.digest), body({ ...HEADER, kind: "list", count: 1 }, "abc"));
  await assert.rejects(log.readList(one.digest), CorruptObjectError);
  assert.equal(await log.readList("f".repeat(32)), undefined);
});

Deno.test("what was checked is read as it was written, in as many parts as it takes", async () => {
  await using fleet = new Fleet();
  const { log: { fleet: log }, store } = fleet;
  const feeds: FeedCheck[] = Array.from({ length: 12_000 }, (_, index) => ({
    feed: hash(index),
    checkedAt: 1_000 + index,
    notBefore: 2_000,
    failures: 0,
    ...index % 2 === 0 && { validators: { etag: '"a"', hash: "h" } },
  }));
  const held = [{ host: hash(1), until: 5 }];
  await log.writeChecks("web-1", { feeds, held });
  assert.equal(fleet.keys("checks/").length, 3);
  assert.deepEqual(await log.readChecks("web-1"), { feeds, held });
  await log.writeChecks("web-1", { feeds: feeds.slice(0, 1), held: [] });
  assert.deepEqual(await log.readChecks("web-1"), { feeds: feeds.slice(0, 1), held: [] });
  const header = { feedsync: 1, kind: "checks", server: "web-1", part: 0, parts: 1, count: 2 };
  await store.put("checks/web-1/0000", body(header, { feed: "nonsense" }, feeds[0]));
  assert.deepEqual((await log.readChecks("web-1"))?.feeds, [feeds[0]]);
  await assert.rejects(
    log.readChecks("web-2").then(async () => {
      await store.put("checks/web-2/0000", store.objects.get("checks/web-1/0000")!.body);
      return await log.readChecks("web-2");
    }),
    CorruptObjectError,
  );
});

Deno.test("all of it is encrypted, and what is not is told", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const { store, time: environment } = fleet;
  const secret = new BucketLog(store, { environment, envelope: await keys.envelope() });
  const plain = new BucketLog(store, { environment });
  await secret.fleet.writePresence(name, report);
  await secret.fleet.writeList(encodeList(list(3)));
  await secret.fleet.writeChecks("web-1", { feeds: [], held: [] });
  for (const { body } of store.objects.values()) {
    assert.equal(new TextDecoder().decode(body).startsWith("eyJ"), true);
  }
  assert.deepEqual(await secret.fleet.readPresence(name), { report, isPlain: false });
  await assert.rejects(plain.fleet.readPresence(name), MissingKeyError);
  await assert.rejects(plain.fleet.readList(encodeList(list(3)).digest), MissingKeyError);
  const other = presenceName({ ...name, writer: "bbbbbbbb" });
  await store.put(other.key, store.objects.get(name.key)!.body);
  await assert.rejects(
    secret.fleet.readPresence(other),
    CorruptObjectError,
    "moved to another key",
  );
});

Deno.test("the answer to a presence tells the time", async () => {
  await using fleet = new Fleet();
  const { log } = fleet;
  fleet.store.clockOffset = 3_600_000;
  await log.fleet.writePresence(name, report);
  assert.equal(log.now(), fleet.time.clock.now() + 3_600_000);
});
