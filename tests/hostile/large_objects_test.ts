import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { CorruptObjectError } from "../../lib/errors.ts";
import { openDirectoryStore } from "../../lib/stores/directory/directory_store.ts";
import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import { MAX_OBJECT_BYTES } from "../../lib/stores/store.ts";
import { MARKER_KEY } from "../../lib/log/names.ts";
import { watch } from "../../lib/watch.ts";
import { Fleet, texts } from "../fixture.ts";
import { httpServer } from "../servers/http.ts";

const KEY = "tail/evil_abcdefgh/0000000000000001.1.zzzzzzzz";
const BUCKET = {
  region: "us-east-1",
  accessKeyId: "test",
  secretAccessKey: "test",
  bucket: "feed-sync",
};

function isRefusal(error: unknown): true {
  assert.ok(error instanceof CorruptObjectError, String(error));
  assert.equal(error.message, `Cannot read ${KEY}: it has more than ${MAX_OBJECT_BYTES} bytes`);
  return true;
}

Deno.test("a file of terabytes in a store's directory is not read", async () => {
  const path = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${path}/tail/evil_abcdefgh`, { recursive: true });
    await Deno.writeFile(`${path}/${KEY}`, new Uint8Array());
    await Deno.truncate(`${path}/${KEY}`, 2 ** 41);
    await using store = openDirectoryStore(path);
    await assert.rejects(store.get(KEY), isRefusal);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});

/** Bytes without end, in chunks; counts them. */
function endless(sent: { bytes: number }): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull(controller) {
      sent.bytes += 1024 * 1024;
      controller.enqueue(new Uint8Array(1024 * 1024));
    },
  });
}

for (const length of [undefined, String(2 ** 41)]) {
  const told = length === undefined ? "of no length" : "of terabytes";
  Deno.test(`an object ${told} in a bucket is not read further than the limit`, async () => {
    const sent = { bytes: 0 };
    await using service = httpServer(() =>
      new Response(endless(sent), { headers: length ? { "content-length": length } : {} })
    );
    await using store = await openS3Store({ ...BUCKET, ...service });
    await assert.rejects(store.get(KEY), isRefusal);
    assert.ok(sent.bytes < 2 * MAX_OBJECT_BYTES, `${sent.bytes}`);
  });
}

Deno.test("what fetch unpacks by itself is bounded, too", async () => {
  const bomb = gzipSync(new Uint8Array(4 * MAX_OBJECT_BYTES));
  await using service = httpServer(() =>
    new Response(bomb as Uint8Array<ArrayBuffer>, { headers: { "content-encoding": "gzip" } })
  );
  await using store = await openS3Store({ ...BUCKET, ...service });
  await assert.rejects(store.get(KEY), isRefusal);
});

Deno.test("an object that is too large holds up its own stream only, and is no fork of ours", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  const stream = web1.stream;
  await fleet.publish(web1, "a");
  await fleet.store.put(KEY, new Uint8Array(8));
  fleet.store.before("get", (key) => {
    if (key === KEY) throw new CorruptObjectError(key, "it is too large");
  });
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  await fleet.publish(web1, ...texts("b", 3));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, ["a", ...texts("b", 3)]);
  assert.equal(web1.stream, stream);
});

Deno.test("a marker that is too large, or garbage, keeps nobody from listing", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1", { retention: false });
  fleet.store.before("get", (key) => {
    if (key === MARKER_KEY) throw new CorruptObjectError(key, "it is too large");
  });
  const web2 = fleet.server("web-2", { wake: { marker: true }, poll: "1s", retention: false });
  const contents: unknown[] = [];
  const watcher = watch(web2, ({ content }) => void contents.push(content));
  await watcher.ready;
  for (const content of texts("a", 3)) {
    await fleet.publish(web1, content);
    await fleet.time.pass(2_000);
  }
  assert.deepEqual(contents, texts("a", 3));
  await fleet.time.run(watcher.close());
});
