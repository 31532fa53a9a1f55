import assert from "node:assert/strict";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { whyUnreadable } from "../../lib/log/why_unreadable.ts";
import { updateLine } from "../../lib/log/codec.ts";
import { objectName } from "../../lib/log/names.ts";
import { AccessDeniedError } from "../../lib/errors.ts";
import { Keys } from "../encryption/keys.ts";
import { acceptInto, Fleet, survivingState } from "../fixture.ts";

const NAME = objectName({
  kind: "tail",
  stream: "web-1_abcdefgh",
  first: 1,
  last: 1,
  writer: "ijklmnop",
});
const LINE = updateLine({
  id: crypto.randomUUID(),
  url: "https://example.com/",
  time: 0,
  body: '"content":"a","metadata":{}',
}, 1);

Deno.test("what is written is read back, and a peer's copy of its bytes opens like it", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const log = new BucketLog(fleet.store, {
    environment: fleet.time,
    envelope: await keys.envelope(),
  });
  assert.equal(await log.read(NAME), undefined);
  const stored = await log.write(NAME, log.pack(NAME, [LINE]));
  for (const object of [await log.read(NAME), await log.open(NAME, stored)]) {
    assert.equal(object!.decode().updates[0].content, "a");
  }
});

Deno.test("an object is unreadable when it is refused, corrupt or locked", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const { log, store, time: environment } = fleet;
  const read = async () => (await log.read(NAME))!.decode();
  const isReadAs = (reason: string) =>
    assert.rejects(read, (error) => whyUnreadable(error) === reason);
  await store.put(NAME.key, new Uint8Array([1, 2, 3]));
  await isReadAs("corrupt");
  const encrypting = new BucketLog(store, { environment, envelope: await keys.envelope() });
  await encrypting.write(NAME, encrypting.pack(NAME, [LINE]));
  await isReadAs("locked");
  assert.equal(whyUnreadable(new AccessDeniedError("no")), "refused");
  assert.equal(whyUnreadable(new TypeError("no")), undefined);
});

Deno.test("the store's time is what the last listing of any process with the state has shown", async () => {
  await using fleet = new Fleet();
  const { store, time } = fleet;
  const state = survivingState("web-1", fleet);
  const [one, other] = [1, 2].map(() => new BucketLog(store, { environment: time, memory: state }));
  store.clockOffset = 7_200_000;
  assert.equal(one.now(), time.clock.now());
  await one.list();
  for (const log of [one, other, acceptInto(state, time).log]) {
    assert.equal(log.now(), time.clock.now() + 7_200_000);
  }
});
