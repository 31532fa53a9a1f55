/** What somebody can make `newest/` do who can write to the bucket. */
import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { cleanup } from "../../lib/cleanup.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { decodeNewest, encodeNewest, type NewestUpdate } from "../../lib/log/newest/body.ts";
import { newestName, parseNewestKey } from "../../lib/log/newest/names.ts";
import { asSeq } from "../../lib/log/positions.ts";
import { Sweeper } from "../../lib/retention/sweep.ts";
import { Keys } from "../encryption/keys.ts";
import { Fleet, urlOf } from "../fixture.ts";

const DAY = 24 * 60 * 60 * 1000;
const FEED = urlOf("feed");

function update(fleet: Fleet, content: string, ahead = 0): NewestUpdate {
  return {
    stream: "web-1_abcdefgh",
    seq: asSeq(1),
    id: crypto.randomUUID(),
    url: FEED,
    time: new Date(fleet.time.clock.now() + ahead).toISOString(),
    content,
    metadata: {},
  };
}

async function logOf({ store, time: environment }: Fleet, keys?: Keys): Promise<BucketLog> {
  return new BucketLog(store, { environment, envelope: await keys?.envelope() });
}

async function sweep(fleet: Fleet, log: BucketLog): Promise<number> {
  const now = fleet.time.clock.now();
  const sweeper = new Sweeper(log, { now, written: new Set(), dryRun: false });
  await sweeper.sweepAll();
  return sweeper.swept;
}

Deno.test("without keys, what somebody puts into newest/ passes for the newest of its feed", async () => {
  await using fleet = new Fleet();
  const log = await logOf(fleet);
  const honest = await log.newest.write(update(fleet, "mine"));
  const forged = await log.newest.write(update(fleet, "forged", 1000));
  assert.equal(await sweep(fleet, log), 1);
  assert.deepEqual(fleet.keys(), [forged.key]);
  assert.equal((await log.newest.read(forged))?.content, "forged");
  assert.notEqual(honest.key, forged.key);
});

Deno.test("with keys, nothing that was forged, moved or damaged has the newest update of a feed deleted", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const log = await logOf(fleet, keys);
  const newest = await log.newest.write(update(fleet, "newest"));
  const { body } = fleet.store.objects.get(newest.key)!;
  const forge = { ...update(fleet, "forged", 1000) };
  const name = await log.newest.nameOf(forge);
  const removal = { ...newestName({ ...name, isRemoved: true }) };
  const plain = encodeNewest(name, forge);
  const bodies = [
    plain,
    body,
    body.slice(0, -10),
    new Uint8Array(0),
    new Uint8Array(33 * 1024 * 1024),
    zstdCompressSync(new Uint8Array(64 * 1024 * 1024)),
    encodeNewest(removal, { ...forge, content: undefined, removed: true }),
  ];
  for (const bytes of bodies) {
    for (const { key } of [name, removal]) {
      await fleet.store.put(key, bytes);
      assert.equal(await sweep(fleet, log), 0);
      assert.ok(fleet.store.objects.has(newest.key), `${bytes.length} bytes at ${key}`);
      fleet.store.objects.delete(key);
    }
  }
  assert.equal((await log.newest.read(newest))?.content, "newest");
});

Deno.test("without keys, a body that is not what its key says counts for nothing, a wrong hash among it", async () => {
  await using fleet = new Fleet();
  const log = await logOf(fleet);
  const newest = await log.newest.write(update(fleet, "newest"));
  const forged = { ...update(fleet, "forged", 1000), url: urlOf("other") };
  const other = await log.newest.nameOf(forged);
  const wrong = newestName({ ...other, hash: newest.hash });
  await fleet.store.put(wrong.key, encodeNewest(wrong, forged));
  assert.equal(await sweep(fleet, log), 0);
  assert.deepEqual(fleet.keys(), [newest.key, wrong.key].sort());
});

Deno.test("what is put back is swept while the newest is there, and passes for it when that is deleted", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const log = await logOf(fleet, keys);
  const old = await log.newest.write(update(fleet, "old"));
  const object = fleet.store.objects.get(old.key)!;
  const newest = await log.newest.write(update(fleet, "new", 1));
  await sweep(fleet, log);
  fleet.store.objects.set(old.key, object);
  assert.equal(await sweep(fleet, log), 1);
  fleet.store.objects.set(old.key, object);
  fleet.store.objects.delete(newest.key);
  assert.equal(await sweep(fleet, log), 0);
  assert.equal((await log.newest.read(old))?.content, "old");
});

Deno.test("an update that is dated years ahead is neither carried, nor in the way of those that are", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "feed");
  const log = await logOf(fleet);
  const future = await log.newest.write(update(fleet, "forged", 1000 * DAY));
  fleet.time.skip(3 * DAY);
  const { carried } = await cleanup(web1, {});
  assert.equal(carried, 1);
  const kept = fleet.keys("newest/").filter((key) => key !== future.key);
  const [update1] = kept.map((key) =>
    decodeNewest(parseNewestKey(key)!, fleet.store.objects.get(key)!.body)
  );
  assert.equal(update1.content, "feed");
  fleet.time.skip(2000 * DAY);
  await cleanup(web1, {});
  assert.deepEqual(fleet.keys("newest/").sort(), [...kept, future.key].sort());
});

Deno.test("fifty thousand invented groups and a group of thousands cost LISTs, and a GET for each that has several", async () => {
  await using fleet = new Fleet();
  const log = await logOf(fleet);
  const real = await log.newest.write(update(fleet, "real"));
  const lastModified = fleet.time.clock.now(), body = new Uint8Array(1);
  const set = (hash: string, time: number) => {
    const name = newestName({ hash, time, id: crypto.randomUUID(), isRemoved: false });
    fleet.store.objects.set(name.key, { body, lastModified });
  };
  for (let i = 0; i < 50_000; i++) set(i.toString(16).padStart(32, "0"), lastModified);
  for (let i = 0; i < 5_000; i++) set("f".repeat(32), lastModified + i);
  const { get } = fleet.store.requests;
  assert.equal(await sweep(fleet, log), 0);
  assert.ok(fleet.store.requests.get - get <= 6, `${fleet.store.requests.get - get} GETs`);
  assert.ok(fleet.store.objects.has(real.key));
});
