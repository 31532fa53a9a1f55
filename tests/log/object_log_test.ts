import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { StoreUnavailableError } from "../../lib/errors.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { encodeList } from "../../lib/log/fleet/feed_list.ts";
import { presenceName } from "../../lib/log/fleet/names.ts";
import { MARKER_KEY, objectName, PROBE_KEY } from "../../lib/log/names.ts";
import { asSeq } from "../../lib/log/positions.ts";
import { MAX_OBJECT_BYTES } from "../../lib/stores/store.ts";
import { Keys } from "../encryption/keys.ts";
import { Fleet, urlOf } from "../fixture.ts";
import { bodyOf, lineOf } from "../hostile/values.ts";
import { MemoryStore } from "../memory_store.ts";

const STREAM = "web-1_abcdefgh", HASH = "0".repeat(32);
const TIME = "2026-01-01T00:00:00.000Z";

function commit(first: number, last = first) {
  return objectName({ kind: "tail", stream: STREAM, first, last, writer: "zzzzzzzz" });
}

const PRESENCE = presenceName({
  ...{ stream: STREAM, writer: "aaaaaaaa", interval: 300, weight: 1, list: undefined },
});

/** One object of each kind, as servers write them. */
async function fill(log: BucketLog): Promise<void> {
  await log.write(commit(1), log.pack(commit(1), [lineOf(1)]));
  const segment = objectName({ ...commit(1, 2), kind: "segments" });
  await log.write(segment, log.pack(segment, [lineOf(1), lineOf(2)]));
  const update = { id: crypto.randomUUID(), url: urlOf("a"), time: TIME, metadata: {} };
  const place = { seq: asSeq(1), stream: STREAM };
  await log.newest.write({ ...update, ...place, content: "a" });
  await log.newest.write({
    ...update,
    ...place,
    url: urlOf("b"),
    content: undefined,
    removed: true,
  });
  const started = { started: TIME, written: TIME, version: "1", retention: null } as const;
  await log.fleet.writePresence(PRESENCE, {
    ...{ ...started, formats: { reader: 1, written: 1 }, streams: [], behindSeconds: 0 },
    ...{ lastPublished: null, queued: 0, deadLetters: {}, gaps: 0, lastError: null, feeds: 0 },
    requests: { put: 0, get: 0, list: 0, delete: 0 },
  });
  const feeds = [{ feed: HASH, domain: HASH }];
  await log.fleet.writeList(encodeList({ feeds, suffixes: "1", maxPerDomain: 1 }));
  const checked = { feed: HASH, checkedAt: 1, notBefore: 2, failures: 0 };
  await log.fleet.writeChecks("web-1", { feeds: [checked], held: [] });
  await log.writeMarker("aaaaaaaa");
}

const KINDS = ["checks", "commit", "list", "marker", "newest", "presence", "segment", "tombstone"];

for (const isEncrypted of [false, true]) {
  const what = isEncrypted ? "encrypted" : "unencrypted";
  Deno.test(`every kind of object is listed as what it is, and read, ${what}`, async () => {
    await using keys = await Keys.make();
    await using fleet = new Fleet();
    const envelope = isEncrypted ? await keys.envelope() : undefined;
    const log = new BucketLog(fleet.store, { environment: fleet.time, envelope });
    await fill(log);
    const listed = await Array.fromAsync(log.objects.list(""));
    assert.deepEqual(listed.map(({ meaning }) => meaning.kind).toSorted(), KINDS);
    for (const { key, size, meaning: { kind } } of listed) {
      const object = await log.objects.inspect(key);
      assert.equal(object?.size, size);
      assert.equal(object.unreadable, undefined, key);
      assert.equal(object.content === undefined, kind === "marker", key);
      assert.equal(object.kid === undefined, !isEncrypted || kind === "marker", key);
    }
  });
}

Deno.test("keys that only look like feedsync's are foreign, and are not read", async () => {
  await using fleet = new Fleet();
  const keys = [
    "tail/x",
    `tail/${STREAM}/1.1.zzzzzzzz`,
    "readme.txt",
    `${PRESENCE.key}/x`,
    "Marker",
  ];
  for (const key of keys) await fleet.store.put(key, new Uint8Array(3));
  await fleet.store.put(PROBE_KEY, new Uint8Array(1));
  const { objects } = fleet.log;
  const listed = await Array.fromAsync(objects.list(""));
  const foreign = listed.filter(({ meaning }) => meaning.kind === "foreign");
  assert.deepEqual(foreign.map(({ key }) => key).toSorted(), keys.toSorted());
  for (const key of [...keys, PROBE_KEY, MARKER_KEY]) await objects.inspect(key);
  assert.equal(fleet.store.requests.get, 0);
});

Deno.test("what cannot be read is shown as far as it can be, and why", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const { objects } = fleet.log;
  const sealed = new BucketLog(fleet.store, {
    environment: fleet.time,
    envelope: await keys.envelope(),
  });
  await sealed.write(commit(1), sealed.pack(commit(1), [lineOf(1)]));
  const locked = await objects.inspect(commit(1).key);
  assert.equal(locked?.unreadable?.reason, "locked");
  assert.equal(typeof locked.kid, "string");

  await fleet.store.put(commit(2).key, bodyOf(commit(2), [], { feedsync: 9, later: true }));
  const newer = await objects.inspect(commit(2).key);
  assert.equal(newer?.unreadable?.error.name, "UnsupportedFormatError");
  assert.equal(newer.header?.later, true);

  await fleet.store.put(commit(3).key, bodyOf(commit(4), [lineOf(4)]));
  const moved = await objects.inspect(commit(3).key);
  assert.equal(moved?.unreadable?.reason, "corrupt");
  assert.equal(moved.header?.first, 4);

  const bomb = zstdCompressSync(new Uint8Array(4 * MAX_OBJECT_BYTES));
  await fleet.store.put(commit(5).key, bomb);
  assert.equal((await objects.inspect(commit(5).key))?.unreadable?.reason, "corrupt");
  assert.equal(await objects.inspect(commit(6).key), undefined);
});

Deno.test("what was damaged on its way only is not taken for damaged", async () => {
  await using fleet = new Fleet();
  await fill(fleet.log);
  const { store } = fleet, { key } = commit(1);
  const whole = store.objects.get(key)!.body;
  await store.put(key, whole.subarray(0, 20));
  let reads = 0;
  store.before("get", async () => {
    if (++reads === 2) await store.put(key, whole);
  });
  const object = await fleet.log.objects.inspect(key);
  assert.ok(object?.content);
});

Deno.test("an object that is still listed after it was deleted is not reported as gone", async () => {
  await using fleet = new Fleet();
  const store = new Undying(fleet.time.clock);
  await store.put("x", new Uint8Array(1));
  const { objects } = new BucketLog(store, { environment: fleet.time });
  await assert.rejects(fleet.time.run(objects.delete("x")), StoreUnavailableError);
  store.isUndying = false;
  await fleet.time.run(objects.delete("x"));
  assert.equal(store.objects.size, 0);
});

/** Says that it deletes, as a store whose listings show what is gone. */
class Undying extends MemoryStore {
  isUndying = true;

  override delete(...args: Parameters<MemoryStore["delete"]>) {
    return this.isUndying ? Promise.resolve([]) : super.delete(...args);
  }
}
