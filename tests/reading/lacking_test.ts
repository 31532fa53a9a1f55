import assert from "node:assert/strict";
import { whatIsLacking } from "../../lib/reading/lacking.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { MemoryStore } from "../memory_store.ts";
import { Fleet, survivingState } from "../fixture.ts";

const RETENTION_MS = 24 * 60 * 60 * 1000;

/** What web-1 knows after it has published, and read what web-2 has. */
async function knowingFleet() {
  const fleet = new Fleet();
  const state = survivingState("web-1", fleet);
  const web1 = fleet.server("web-1", { state }), web2 = fleet.server("web-2");
  await fleet.publish(web1, "a1", "a2");
  await fleet.publish(web2, "b1", "b2", "b3");
  await using received = fleet.watch(web1);
  await fleet.time.run(received.watcher.poll());
  const copy = new MemoryStore(fleet.time.clock);
  for (const [key, object] of fleet.store.objects) copy.objects.set(key, object);
  const log = new BucketLog(copy, { environment: fleet.time });
  const newestOf = (stream: string) => fleet.keys(`tail/${stream}/`).at(-1)!;
  return {
    ...{ fleet, web1, web2, copy, newestOf },
    lacking: () => fleet.time.run(whatIsLacking({ state, log, retentionMs: RETENTION_MS })),
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
}

Deno.test("a copy of the store lacks nothing, also when others have gone on in it", async () => {
  await using world = await knowingFleet();
  assert.deepEqual(await world.lacking(), []);
  await world.fleet.publish(world.web2, "b4");
  const newest = world.newestOf(world.web2.stream);
  world.copy.objects.set(newest, world.fleet.store.objects.get(newest)!);
  assert.deepEqual(await world.lacking(), []);
});

Deno.test("a store that is empty lacks everything", async () => {
  await using world = await knowingFleet();
  world.copy.objects.clear();
  assert.deepEqual(await world.lacking(), ["It is empty"]);
});

Deno.test("a copy that was made too early lacks the newest commits that the state knows", async () => {
  await using world = await knowingFleet();
  const { web1, web2, copy, newestOf } = world;
  copy.objects.delete(newestOf(web1.stream));
  copy.objects.delete(newestOf(web2.stream));
  assert.deepEqual(
    (await world.lacking()).sort(),
    [
      `It has ${web1.stream} up to 1, and the state up to 2`,
      `It has ${web2.stream} up to 2, and the state up to 3`,
    ].sort(),
  );
});

Deno.test("the own stream may be wholly gone only when it may have expired", async () => {
  await using world = await knowingFleet();
  const { web1, copy, fleet } = world;
  for (const key of copy.objects.keys()) if (key.includes(web1.stream)) copy.objects.delete(key);
  assert.deepEqual(await world.lacking(), [
    `It has ${web1.stream} up to nothing, and the state up to 2`,
  ]);
  await fleet.time.pass(RETENTION_MS + 1000);
  assert.deepEqual(await world.lacking(), []);
});
