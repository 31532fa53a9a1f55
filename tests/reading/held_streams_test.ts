import assert from "node:assert/strict";
import { watch } from "../../lib/watch.ts";
import { Fleet } from "../fixture.ts";

const SECOND = 1000, MINUTE = 60 * SECOND;

Deno.test("a damaged object is fetched less and less often, and read soon after it is mended", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a1");
  const [key] = fleet.keys("tail/");
  const object = fleet.store.objects.get(key)!;
  fleet.store.objects.set(key, { ...object, body: object.body.subarray(0, 20) });
  const read: unknown[] = [];
  const reader = fleet.server("web-2", { poll: "1s", retention: false });
  const watcher = watch(reader, ({ content }) => void read.push(content));
  await watcher.ready;
  const { requests } = fleet.store;
  const fetched = async (ms: number) => {
    const before = requests.get;
    await fleet.time.pass(ms);
    return requests.get - before;
  };
  await fetched(10 * SECOND);
  await fleet.publish(web1, "a2");
  await fetched(2 * MINUTE);
  const gets = await fetched(10 * MINUTE);
  assert.ok(gets >= 10 && gets <= 50, `${gets} GETs in ten minutes`);
  assert.deepEqual(read, []);
  fleet.store.objects.set(key, object);
  await fleet.time.pass(MINUTE + 2 * SECOND);
  assert.deepEqual(read, ["a1", "a2"]);
  await fleet.time.run(watcher.close());
});
