/**
 * Stores list keys in any order, and `startAfter` then skips what it should not.
 *
 * @module
 */
import assert from "node:assert/strict";
import { cleanup } from "../../lib/cleanup.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import type { ObjectInfo } from "../../lib/stores/store.ts";
import { Fleet, texts } from "../fixture.ts";
import { MemoryStore, shuffled } from "../memory_store.ts";

const STREAM = "web-1_abcdefgh";

/** Orders that stores may list in. */
const ORDERS: Record<string, (key: string) => string> = {
  shuffled,
  "shuffled otherwise": (key) => shuffled(`${key} `),
  // Each character counts down, and what is longer comes first.
  descending: (key) =>
    [...key].map((character) => String.fromCharCode(999 - character.charCodeAt(0))).join("") +
    "\uffff",
};

for (const [name, order] of Object.entries(ORDERS)) {
  Deno.test(`a new server gets all updates where listings are ${name}`, async () => {
    await using fleet = new Fleet();
    fleet.store.order = order;
    await fleet.publish(fleet.server("web-1"), ...texts("a", 30));
    await using received = fleet.watch(fleet.server("web-2"));
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, texts("a", 30));
    assert.deepEqual(received.gaps, []);
  });

  Deno.test(`a new server enters a stream where it begins now where listings are ${name}`, async () => {
    await using fleet = new Fleet();
    fleet.store.order = order;
    for (let first = 11; first < 200; first += 10) {
      const part = { kind: "segments", stream: STREAM, first, last: first + 9 } as const;
      await fleet.forge(part, (seq) => `s${seq}`);
    }
    await fleet.forge({ kind: "tail", stream: STREAM, first: 201, last: 202 }, (seq) => `s${seq}`);
    await using received = fleet.watch(fleet.server("web-2"));
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, texts("s", 192, 11));
    assert.deepEqual(received.gaps, []);
  });

  Deno.test(`servers that were away for a while miss nothing where listings are ${name}`, async () => {
    await using fleet = new Fleet();
    fleet.store.order = order;
    const web1 = fleet.server("web-1");
    await using received = fleet.watch(fleet.server("web-2"));
    let published = 0;
    for (const count of [1, 40, 9, 12, 80, 3]) {
      await fleet.publish(web1, ...texts("a", count, published + 1));
      published += count;
      await fleet.time.run(received.watcher.poll());
    }
    assert.deepEqual(received.contents, texts("a", published));
    assert.deepEqual(received.gaps, []);
  });

  Deno.test(`a publisher goes on with its stream where listings are ${name}`, async () => {
    await using fleet = new Fleet();
    fleet.store.order = order;
    const web1 = fleet.server("web-1"), { stream } = web1;
    await fleet.publish(web1, ...texts("a", 20));
    await using received = fleet.watch(web1);
    await fleet.time.run(received.watcher.poll());
    await fleet.time.pass(10_000);
    await fleet.publish(web1, ...texts("b", 20));
    assert.equal(web1.stream, stream);
  });

  Deno.test(`cleanup leaves no hole where listings are ${name}`, async () => {
    await using fleet = new Fleet();
    fleet.store.order = order;
    const web1 = fleet.server("web-1");
    await fleet.publish(web1, ...texts("a", 30));
    fleet.time.skip(25 * 60 * 60_000);
    await fleet.publish(web1, ...texts("b", 5));
    await cleanup(web1, { maxAge: "24h" });
    await using received = fleet.watch(fleet.server("web-2"));
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents.slice(-5), texts("b", 5));
    assert.deepEqual(received.gaps, []);
  });
}

/** Lists everything, twice, whatever was asked for. */
class CarelessStore extends MemoryStore {
  override async *list(): AsyncIterable<ObjectInfo> {
    yield* super.list("");
    yield* super.list("");
  }
}

Deno.test("listings that ignore prefix and startAfter, or name keys twice, are filtered here", async () => {
  await using fleet = new Fleet();
  const { store } = fleet;
  await fleet.publish(fleet.server("web-1"), ...texts("a", 12));
  await fleet.publish(fleet.server("web-3"), "b1");
  const log = (opened: MemoryStore = store) => new BucketLog(opened, { environment: fleet.time });
  const options = { signal: undefined };
  const [stream] = fleet.keys("segments/").map((key) => key.split("/")[1]);
  const expected = {
    tail: await log().list(options),
    segments: await log().listStream("segments", stream, options),
  };
  const careless = new CarelessStore(fleet.time.clock);
  for (const [key, object] of store.objects) careless.objects.set(key, object);
  const doubled = log(careless);
  assert.deepEqual(await doubled.list(options), expected.tail);
  assert.equal(doubled.foreignKeys, 0);
  assert.deepEqual(await doubled.listStream("segments", stream, options), expected.segments);
  assert.deepEqual(await doubled.listStream("segments", stream, { ...options, beyond: 99 }), []);
});
