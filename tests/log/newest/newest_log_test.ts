import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { BucketLog } from "../../../lib/log/bucket_log.ts";
import type { Envelope } from "../../../lib/log/encryption/envelope.ts";
import type { NewestUpdate } from "../../../lib/log/newest/body.ts";
import { type NewestName, newestName } from "../../../lib/log/newest/names.ts";
import {
  CorruptObjectError,
  MissingKeyError,
  UnsupportedFormatError,
} from "../../../lib/errors.ts";
import { asSeq } from "../../../lib/log/positions.ts";
import type { FeedContent } from "../../../lib/update.ts";
import { captureLog, Keys } from "../../encryption/keys.ts";
import { Fleet } from "../../fixture.ts";
import { nestedText, ones } from "../../hostile/values.ts";

const URL = "https://example.com/feed";
/** `printf %s https://example.com/feed | sha256sum | cut -c 1-32` */
const HASH = "92236c4e4c1108e7c39ad52278919a1a";

/** An update of stream `web-1_abcdefgh`. */
function update(
  { content = "a", removed, ...rest }: FeedContent & { url?: string; time?: string } = {},
): NewestUpdate {
  return {
    stream: "web-1_abcdefgh",
    seq: asSeq(7),
    id: "00000000-0000-4000-8000-000000000001",
    url: URL,
    time: "2026-01-01T00:00:00.000Z",
    metadata: { etag: '"x"' },
    ...removed ? { content: undefined, removed: true } : { content },
    ...rest,
  };
}

/** The log in the store of the fleet, as a server with these keys sees it. */
async function logOf(
  { store, time: environment }: Fleet,
  keys?: Keys,
  options?: { allowPlaintext?: boolean },
): Promise<BucketLog> {
  const envelope: Envelope | undefined = await keys?.envelope(options);
  return new BucketLog(store, { environment, envelope });
}

/** Changes the text of an object that is not encrypted. */
function tamper({ store }: Fleet, { key }: NewestName, change: (text: string) => string): void {
  const object = store.objects.get(key)!;
  const text = new TextDecoder().decode(zstdDecompressSync(object.body));
  store.objects.set(key, { ...object, body: zstdCompressSync(change(text)) });
}

async function assertCorrupt(
  { newest }: BucketLog,
  name: NewestName,
  message: RegExp,
): Promise<void> {
  await assert.rejects(newest.read(name), (error) => {
    assert.ok(error instanceof CorruptObjectError, `${error}`);
    assert.equal(error.key, name.key);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("an update is read as it was written: text, JSON, bytes, and that its feed is gone", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const contents: FeedContent[] = [
    { content: "<rss>\r\n  „ü“ \u{1f600}</rss>" },
    { content: { items: [1, null, { a: "\ud800" }] } },
    { content: new Uint8Array([0xff, 0xfe, 0, 10, 13]) },
    { content: "" },
    { removed: true },
  ];
  for (const log of [await logOf(fleet), await logOf(fleet, keys)]) {
    for (const content of contents) {
      const given = update(content);
      const name = await log.newest.write(given);
      assert.equal(name.isRemoved, content.removed === true);
      assert.deepEqual(await log.newest.read(name), given);
    }
  }
});

Deno.test("the same update is the same object, whoever writes it and however often", async () => {
  await using fleet = new Fleet();
  const [one, other] = [await logOf(fleet), await logOf(fleet)];
  const name = await one.newest.write(update());
  const { body } = fleet.store.objects.get(name.key)!;
  fleet.time.skip(1000);
  assert.deepEqual(await other.newest.write((await one.newest.read(name))!), name);
  assert.deepEqual(fleet.store.objects.get(name.key)!.body, body);
  assert.deepEqual(await one.newest.nameOf(update()), name);
});

Deno.test("one feed is one group, also where an older server wrote its URL otherwise", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  for (const { newest } of [await logOf(fleet), await logOf(fleet, keys)]) {
    const hash = await newest.hashOf(URL);
    assert.equal(await newest.hashOf("HTTPS://Example.com:443/feed#top"), hash);
    assert.notEqual(await newest.hashOf(`${URL}/`), hash);
    const written = update({ url: "HTTPS://Example.com/feed" });
    const name = await newest.write(written);
    assert.equal(name.hash, hash);
    assert.deepEqual(await newest.read(name), written);
  }
});

Deno.test("the hash in a key is SHA-256 of the URL, or HMAC-SHA-256 under the names key", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  assert.equal(await (await logOf(fleet)).newest.hashOf(URL), HASH);
  const { names: { k } } = JSON.parse(await keys.text());
  const hmac = createHmac("sha256", Uint8Array.fromBase64(k, { alphabet: "base64url" }));
  const hash = hmac.update(URL).digest("hex").slice(0, 32);
  assert.equal(await (await logOf(fleet, keys)).newest.hashOf(URL), hash);
});

Deno.test("a change of the keys leaves hashes as they are; only another names key changes them", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const { newest } = await logOf(fleet, keys);
  const hash = await newest.hashOf(URL);
  await keys.putFirst(await keys.add());
  assert.equal(await newest.hashOf(URL), hash);
  await using others = await Keys.make();
  await keys.replaceBy(others);
  assert.notEqual(await newest.hashOf(URL), hash);
});

Deno.test("whoever has zstd reads an object without feedsync", async () => {
  await using fleet = new Fleet();
  const { key } = await (await logOf(fleet)).newest.write(update());
  const text = new TextDecoder().decode(zstdDecompressSync(fleet.store.objects.get(key)!.body));
  const [header, line, ...rest] = text.split("\n");
  assert.deepEqual(JSON.parse(header), {
    feedsync: 1,
    format: 1,
    stream: "web-1_abcdefgh",
    server: "web-1",
    first: 7,
    count: 1,
  });
  assert.deepEqual(JSON.parse(line), {
    seq: 7,
    id: "00000000-0000-4000-8000-000000000001",
    url: URL,
    time: "2026-01-01T00:00:00.000Z",
    content: "a",
    metadata: { etag: '"x"' },
  });
  assert.deepEqual(rest, [""]);
});

Deno.test("a listing tells every newest update and when it was written, and ignores foreign keys", async () => {
  await using fleet = new Fleet();
  using lines = captureLog();
  const { store, time } = fleet;
  const log = await logOf(fleet);
  const written = time.clock.now();
  const [a, b] = [await log.newest.write(update()), await log.newest.write(update({ url: "a:b" }))];
  const tombstone = await log.newest.write(
    update({ removed: true, time: "2026-01-02T00:00:00.000Z" }),
  );
  for (const key of ["newest/README", `newest/${HASH}/1.x`]) {
    await store.put(key, new Uint8Array(1));
  }
  const listed = await Array.fromAsync(log.newest.list());
  const keys = listed.map(({ key }) => key).sort();
  assert.deepEqual(keys, [a, b, tombstone].map(({ key }) => key).sort());
  for (const { lastModified, size } of listed) assert.ok(lastModified === written && size > 50);
  assert.equal(log.foreignKeys, 2);
  assert.match(
    lines.lines.join(),
    /Ignoring newest\/\S+ in memory: and other objects that are not feedsync/,
  );

  const group = await log.newest.listGroup(a.hash);
  assert.deepEqual(group.map(({ key }) => key).sort(), [a, tombstone].map(({ key }) => key).sort());
  assert.deepEqual(await log.newest.listGroup("0".repeat(32)), []);
  assert.deepEqual(await log.delete([a.key, tombstone.key]), []);
  assert.deepEqual(await log.newest.listGroup(a.hash), []);
});

Deno.test("a listing of newest/ reads the store's clock", async () => {
  await using fleet = new Fleet();
  const log = await logOf(fleet);
  fleet.store.clockOffset = 7_200_000;
  await Array.fromAsync(log.newest.list());
  assert.equal(log.now(), fleet.time.clock.now() + 7_200_000);
});

Deno.test("an object that a GET does not find is no error", async () => {
  await using fleet = new Fleet();
  const { newest } = await logOf(fleet);
  assert.equal(await newest.read(await newest.nameOf(update())), undefined);
});

Deno.test("an object at the key of another update, time, feed or kind is refused", async () => {
  await using fleet = new Fleet();
  const log = await logOf(fleet);
  const name = await log.newest.write(update());
  const { body } = fleet.store.objects.get(name.key)!;
  const move = async (parts: Partial<NewestName>) => {
    const moved = newestName({ ...name, ...parts });
    await fleet.store.put(moved.key, body);
    return moved;
  };
  const other = /it holds another update than its key says/;
  await assertCorrupt(log, await move({ time: name.time + 1 }), other);
  await assertCorrupt(log, await move({ id: name.id.replace(/1$/, "2") }), other);
  await assertCorrupt(log, await move({ isRemoved: true }), other);
  const elsewhere = await move({ hash: await log.newest.hashOf("https://example.com/other") });
  await assertCorrupt(log, elsewhere, /its key does not match its URL/);
  const tombstone = await log.newest.write(update({ removed: true }));
  const asContent = newestName({ ...tombstone, isRemoved: false });
  await fleet.store.put(asContent.key, fleet.store.objects.get(tombstone.key)!.body);
  await assertCorrupt(log, asContent, other);
});

Deno.test("an encrypted object is refused at any other key", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const log = await logOf(fleet, keys);
  const name = await log.newest.write(update());
  const moved = newestName({ ...name, hash: await log.newest.hashOf("https://example.com/other") });
  await fleet.store.put(moved.key, fleet.store.objects.get(name.key)!.body);
  await assertCorrupt(log, moved, /it was encrypted as "newest\//);
  const stored = new TextDecoder().decode(fleet.store.objects.get(name.key)!.body);
  assert.ok(!stored.includes("example.com"));
});

Deno.test("an object waits for its key, and is not taken with another names key", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  await using others = await Keys.make();
  const name = await (await logOf(fleet, keys)).newest.write(update());
  for (const log of [await logOf(fleet), await logOf(fleet, others)]) {
    await assert.rejects(log.newest.read(name), MissingKeyError);
  }
  await others.addAll(keys); // All its keys, and a names key of its own.
  await assertCorrupt(await logOf(fleet, others), name, /moved, or written with another names key/);
});

Deno.test("what is not encrypted is read, and found, only while that is allowed", async () => {
  await using fleet = new Fleet();
  await using keys = await Keys.make();
  const plain = await logOf(fleet), strict = await logOf(fleet, keys);
  const lenient = await logOf(fleet, keys, { allowPlaintext: true });
  const name = await plain.newest.write(update());
  await assertCorrupt(strict, name, /it is not encrypted/);
  assert.deepEqual(await lenient.newest.read(name), update());
  const [first, ...more] = await lenient.newest.hashesOf(URL);
  assert.deepEqual([first, more], [await strict.newest.hashOf(URL), [name.hash]]);
  assert.deepEqual(await strict.newest.hashesOf(URL), [first]);
  assert.deepEqual(await plain.newest.hashesOf(URL), [name.hash]);
  const { key } = await strict.newest.write(update());
  const keysOf = async ({ newest }: BucketLog) =>
    (await newest.listFeed(URL)).map(({ key }) => key).sort();
  assert.deepEqual(await keysOf(lenient), [key, name.key].sort());
  assert.deepEqual(await keysOf(strict), [key]);
  assert.deepEqual(await keysOf(plain), [name.key]);
  const forged = newestName({ ...name, hash: first });
  assert.equal(forged.key, key);
  await fleet.store.put(key, fleet.store.objects.get(name.key)!.body);
  await assertCorrupt(lenient, forged, /its key does not match its URL/);
});

Deno.test("a body is refused that is cut off, or holds none or several updates, or no place", async () => {
  await using fleet = new Fleet();
  const log = await logOf(fleet);
  const name = await log.newest.write(update());
  const { body } = fleet.store.objects.get(name.key)!;
  for (let length = 0; length < body.length; length++) {
    fleet.store.objects.get(name.key)!.body = body.subarray(0, length);
    await assert.rejects(log.newest.read(name), CorruptObjectError);
  }
  const cases: [(text: string) => string, RegExp][] = [
    [(text) => text.trimEnd(), /last newline is missing/],
    [(text) => text.split("\n")[0] + "\n", /it holds 0 updates, its key says 1/],
    [(text) => text + text.split("\n")[1] + "\n", /it holds more updates, its key says 1/],
    [(text) => text.replace('"count":1', '"count":2'), /its header says "count": 2/],
    [(text) => text.replace('"stream":"web-1_abcdefgh",', ""), /has no valid stream/],
    [(text) => text.replace("web-1_abcdefgh", "../web-1"), /has no valid stream/],
    [(text) => text.replace('"first":7', '"first":0'), /has no valid stream/],
    [(text) => text.replace('"first":7', '"first":"7"'), /has no valid stream/],
    [(text) => text.replace('"first":7', '"first":8'), /in place of seq 8 is malformed/],
    [(text) => text.replace(URL, "nothing"), /in place of seq 7 is malformed/],
    [(text) => text.replace(URL, "https://example.com/other"), /its key does not match its URL/],
    [(text) => text.replace('"content":"a"', '"removed":true'), /another update than its key/],
    [
      (text) => text.replace('"content":"a"', `"content":${nestedText("[", "]", 501)}`),
      /nested deeper than 500 levels/,
    ],
    [
      (text) => text.replace('"content":"a"', `"content":[${ones(1_000_001)}]`),
      /more than 1000000 values/,
    ],
    [
      (text) => text.replace('"content":"a"', `"content":"${"a".repeat(33 * 1024 * 1024)}"`),
      /it is not zstd-compressed text/,
    ],
  ];
  for (const [change, message] of cases) {
    fleet.store.objects.get(name.key)!.body = body;
    tamper(fleet, name, change);
    await assertCorrupt(log, name, message);
  }
});

Deno.test("an object of a newer format waits for an upgrade, and unknown members are ignored", async () => {
  await using fleet = new Fleet();
  const log = await logOf(fleet);
  const name = await log.newest.write(update());
  tamper(
    fleet,
    name,
    (text) =>
      text.replace('"format":1', '"format":7,"later":[{}]').replace('"seq"', '"later":1,"seq"'),
  );
  assert.deepEqual(await log.newest.read(name), update());
  tamper(fleet, name, (text) => text.replace('"feedsync":1', '"feedsync":2'));
  await assert.rejects(log.newest.read(name), UnsupportedFormatError);
});

Deno.test("what nobody could read, or no key can hold, is not written", async () => {
  await using fleet = new Fleet();
  const { newest } = await logOf(fleet);
  const large = update({ content: "a".repeat(16 * 1024 * 1024) });
  await assert.rejects(newest.write(large), (error) => {
    return error instanceof CorruptObjectError && /more than 16777216 bytes/.test(error.message);
  });
  await assert.rejects(newest.write(update({ time: "1969-12-31T23:59:59.999Z" })), RangeError);
  assert.deepEqual(fleet.keys(), []);
});
