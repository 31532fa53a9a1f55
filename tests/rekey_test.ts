import assert from "node:assert/strict";
import { AccessDeniedError, StoreUnavailableError } from "../lib/errors.ts";
import { changeNamesKey } from "../lib/log/encryption/edit_keys.ts";
import { BucketLog } from "../lib/log/bucket_log.ts";
import type { NewestUpdate } from "../lib/log/newest/body.ts";
import { asSeq } from "../lib/log/positions.ts";
import type { RekeyProgress } from "../lib/log/newest/rekey.ts";
import { rekey } from "../lib/rekey.ts";
import { Keys } from "./encryption/keys.ts";
import { Fleet, texts, urlOf } from "./fixture.ts";
import { failing } from "./memory_store.ts";

const DAY = 24 * 60 * 60 * 1000;

/** A server with these keys. */
async function serverOf(fleet: Fleet, name: string, keys?: Keys, allowPlaintext = false) {
  return fleet.server(name, { envelope: await keys?.envelope({ allowPlaintext }) });
}

/** Writes the newest updates of these feeds, as the server with these keys would. */
async function write(
  fleet: Fleet,
  keys: Keys | undefined,
  ...contents: string[]
): Promise<string[]> {
  const log = new BucketLog(fleet.store, {
    environment: fleet.time,
    envelope: await keys?.envelope(),
  });
  const written: string[] = [];
  for (const content of contents) {
    written.push((await log.newest.write(update(fleet, content))).key);
  }
  return written;
}

function update(fleet: Fleet, content: string, ahead = 0): NewestUpdate {
  return {
    stream: "web-1_abcdefgh",
    seq: asSeq(1),
    id: crypto.randomUUID(),
    url: urlOf(content),
    time: new Date(fleet.time.clock.now() + ahead).toISOString(),
    content,
    metadata: {},
  };
}

/** What a server with these keys, and nothing else, can read. */
async function readable(fleet: Fleet, keys: Keys): Promise<unknown[]> {
  const log = new BucketLog(fleet.store, {
    environment: fleet.time,
    envelope: await keys.envelope(),
  });
  const contents: unknown[] = [];
  for await (const name of log.newest.list()) {
    contents.push((await log.newest.read(name))?.content);
  }
  return contents.sort();
}

Deno.test("after rekeying, the first key is enough to read all that is kept for good", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const names = await write(fleet, keys, ...texts("a", 20));
  const [old] = await keys.kids();
  await keys.putFirst(await keys.add());
  const sync = await serverOf(fleet, "web-1", keys);
  const progress: RekeyProgress[] = [];
  const would = await fleet.time.run(rekey(sync, { dryRun: true }));
  assert.deepEqual(would, { examined: 20, rekeyed: 20, failed: 0 });
  const report = await fleet.time.run(rekey(sync, { onProgress: (step) => progress.push(step) }));
  assert.deepEqual(report, { examined: 20, rekeyed: 20, failed: 0 });
  assert.deepEqual(progress.at(-1), { done: 20, total: 20 });
  assert.deepEqual(fleet.keys("newest/"), names.sort(), "under the same names");
  const { put, delete: deletes } = fleet.store.requests;
  assert.equal((await fleet.time.run(rekey(sync))).rekeyed, 0);
  assert.deepEqual([fleet.store.requests.put, fleet.store.requests.delete], [put, deletes]);
  await keys.drop(old);
  assert.deepEqual(await readable(fleet, keys), texts("a", 20).sort());
});

Deno.test("a new names key renames what is there, which is found under both names meanwhile", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const before = await write(fleet, keys, "a", "b");
  await changeNamesKey(keys.path);
  assert.deepEqual(await readable(fleet, keys), ["a", "b"]);
  await write(fleet, keys, "c");
  const sync = await serverOf(fleet, "web-1", keys);
  assert.deepEqual(await fleet.time.run(rekey(sync)), { examined: 3, rekeyed: 2, failed: 0 });
  assert.ok(before.every((key) => !fleet.keys().includes(key)));
  const { formerNames: [{ kid }] } = JSON.parse(await keys.text());
  await keys.drop(kid);
  assert.deepEqual(JSON.parse(await keys.text()).formerNames, []);
  assert.deepEqual(await readable(fleet, keys), ["a", "b", "c"]);
});

Deno.test("what was never encrypted is, and what has been lost of keys is told", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  await using lost = await Keys.make();
  await write(fleet, undefined, "plain");
  await write(fleet, lost, "lost");
  const refused = await fleet.time.run(rekey(await serverOf(fleet, "web-1", keys)));
  assert.deepEqual(
    [refused.rekeyed, refused.failed],
    [0, 2],
    "without allowPlaintext it may be forged",
  );
  const report = await fleet.time.run(rekey(await serverOf(fleet, "web-2", keys, true)));
  assert.deepEqual([report.rekeyed, report.failed], [1, 1]);
  assert.match(report.error!.message, /is encrypted with the key/);
});

Deno.test("rekeying loses nothing where it fails, and goes on where it ended", async () => {
  for (const operation of ["put", "get", "delete"] as const) {
    for (const moment of ["before", "after"] as const) {
      await using fleet = new Fleet();
      await using keys = await Keys.make();
      await write(fleet, keys, ...texts("a", 3));
      await changeNamesKey(keys.path);
      const sync = await serverOf(fleet, "web-1", keys);
      fleet.store[moment](operation, failing(new StoreUnavailableError("away")), { times: 1 });
      const { failed, error } = await fleet.time.run(rekey(sync));
      assert.deepEqual([failed, error?.message], [1, "away"], `${moment} ${operation}`);
      const left = await readable(fleet, keys);
      assert.deepEqual([...new Set(left)], texts("a", 3), `${moment} ${operation}`);
      assert.equal((await fleet.time.run(rekey(sync))).failed, 0);
      assert.deepEqual(await readable(fleet, keys), texts("a", 3));
    }
  }
});

Deno.test("what another server writes with the old key meanwhile is found by the next run", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  await write(fleet, keys, "a");
  await keys.putFirst(await keys.add());
  const sync = await serverOf(fleet, "web-1", keys);
  const [key] = fleet.keys("newest/"), object = fleet.store.objects.get(key)!;
  fleet.store.after("put", () => void fleet.store.objects.set(key, object), { times: 1 });
  const { failed, error } = await fleet.time.run(rekey(sync));
  assert.equal(failed, 1);
  assert.match(error!.message, /another server writes it with other keys/);
  assert.deepEqual(await fleet.time.run(rekey(sync)), { examined: 1, rekeyed: 1, failed: 0 });
});

Deno.test("what a GET does not find is not rekeyed, and counts as left", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const [key] = await write(fleet, keys, "a");
  await keys.putFirst(await keys.add());
  fleet.store.hidden.set(key, 1);
  const sync = await serverOf(fleet, "web-1", keys);
  const { rekeyed, failed } = await fleet.time.run(rekey(sync));
  assert.deepEqual([rekeyed, failed], [0, 1]);
  assert.equal((await fleet.time.run(rekey(sync))).rekeyed, 1);
});

Deno.test("a time that does not count is not made to count by writing it anew", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const envelope = await keys.envelope();
  const { newest } = new BucketLog(fleet.store, { environment: fleet.time, envelope });
  await newest.write(update(fleet, "future", 2 * DAY));
  const before = new Map(fleet.store.objects);
  fleet.time.skip(3 * DAY);
  await keys.putFirst(await keys.add());
  const report = await fleet.time.run(rekey(await serverOf(fleet, "web-1", keys)));
  assert.deepEqual(report, { examined: 1, rekeyed: 0, failed: 0 });
  assert.deepEqual(fleet.store.objects, before);
});

Deno.test("without keys there is nothing to do; without rights it rejects", async () => {
  await using fleet = new Fleet();
  const sync = fleet.server("web-1");
  await write(fleet, undefined, "a");
  assert.deepEqual(await rekey(sync), { examined: 1, rekeyed: 0, failed: 0 });
  fleet.store.before("list", failing(new AccessDeniedError("no")));
  await assert.rejects(rekey(sync), AccessDeniedError);
});
