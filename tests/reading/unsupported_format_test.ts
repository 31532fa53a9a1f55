import assert from "node:assert/strict";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { UnsupportedFormatError } from "../../lib/errors.ts";
import { Fleet } from "../fixture.ts";

const DAY = 24 * 3600 * 1000;

Deno.test("what a newer version wrote waits for an upgrade, however long that takes", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a1");
  const [key] = fleet.keys("tail/");
  const object = fleet.store.objects.get(key)!;
  const text = zstdDecompressSync(object.body).toString();
  const newer = zstdCompressSync(text.replace('"feedsync":1', '"feedsync":2'));
  fleet.store.objects.set(key, { ...object, body: newer });
  await using received = fleet.watch(fleet.server("web-2", { retention: "1h" }));
  for (let i = 0; i < 3; i++) {
    const { unreadable } = await fleet.time.run(received.watcher.poll());
    assert.ok(unreadable[0] instanceof UnsupportedFormatError);
    fleet.time.skip(DAY);
  }
  assert.deepEqual([received.contents, received.gaps], [[], []]);
  fleet.store.objects.set(key, object); // As an upgraded reader sees it.
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual([received.contents, received.gaps], [["a1"], []]);
});
