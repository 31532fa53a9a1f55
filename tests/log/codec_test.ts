import assert from "node:assert/strict";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { decodeBody, decodeObject, encodeBody, updateLine } from "../../lib/log/codec.ts";
import { CorruptObjectError, UnsupportedFormatError } from "../../lib/errors.ts";
import { objectName } from "../../lib/log/names.ts";
import { MAX_OBJECT_BYTES } from "../../lib/stores/store.ts";
import { contentToJson, type FeedContent } from "../../lib/update.ts";

const TIME = "2026-01-01T00:00:00.000Z";
const name = objectName({
  kind: "tail",
  stream: "web-1_abcdefgh",
  first: 3,
  last: 4,
  writer: "ijklmnop",
});

function idOf(seq: number): string {
  return `00000000-0000-4000-8000-00000000000${seq}`;
}

function line(seq: number, update: FeedContent = { content: "x" }): string {
  const body = JSON.stringify({ ...contentToJson(update), metadata: { n: seq } }).slice(1, -1);
  return updateLine({ id: idOf(seq), url: "https://example.com/ü", time: 0, body }, seq);
}

function compress(text: string): Uint8Array {
  return zstdCompressSync(new TextEncoder().encode(text));
}

function assertCorrupt(body: Uint8Array, message: RegExp) {
  assert.throws(() => decodeBody(name, body), (error) => {
    assert.ok(error instanceof CorruptObjectError);
    assert.equal(error.key, name.key);
    assert.match(error.message, message);
    return true;
  });
}

const HEADER = JSON.stringify({
  feedsync: 1,
  stream: name.stream,
  server: "web-1",
  first: 3,
  count: 2,
  writer: name.writer,
  time: TIME,
});

Deno.test("decodeBody() returns what encodeBody() took: text, JSON, bytes and removals", () => {
  const contents: FeedContent[] = [
    { content: "<rss>\r\n  „ü“ \u{1f600}</rss>" },
    { content: { items: [1, null, { a: "\ud800" }] } },
    { content: new Uint8Array([0xff, 0xfe, 0, 10, 13]) },
    { content: "" },
    { content: null },
    { removed: true },
  ];
  for (const given of contents) {
    const body = encodeBody(name, [line(3, given), line(4, given)], { time: TIME });
    const [first, second] = decodeBody(name, body);
    assert.deepEqual(first.content, given.content);
    assert.equal(first.removed, given.removed);
    assert.deepEqual([first.seq, first.id, first.url], [3, idOf(3), "https://example.com/ü"]);
    assert.deepEqual([second.seq, second.metadata], [4, { n: 4 }]);
  }
});

Deno.test("decodeBody() leaves out what a line has besides an update, and fills in its metadata", () => {
  const more = line(3).replace(/}$/, ',"stream":"web-9_zzzzzzzz","superseded":true}');
  const fewer = line(4).replace(',"metadata":{"n":4}', "");
  const other = fewer.replace(/}$/, ',"stream":"web-9_zzzzzzzz"}');
  for (const last of [fewer, other]) {
    const updates = decodeBody(name, encodeBody(name, [more, last], { time: TIME }));
    const update = { url: "https://example.com/ü", time: "1970-01-01T00:00:00.000Z", content: "x" };
    assert.deepEqual(updates, [
      { ...update, seq: 3, id: idOf(3), metadata: { n: 3 } },
      { ...update, seq: 4, id: idOf(4), metadata: {} },
    ]);
  }
});

Deno.test("decodeBody() takes a body that was unpacked on the way", () => {
  const body = encodeBody(name, [line(3), line(4)], { time: TIME });
  assert.deepEqual(decodeBody(name, zstdDecompressSync(body)), decodeBody(name, body));
});

Deno.test("decodeBody() refuses a body that is cut off anywhere, also one that was unpacked", () => {
  const packed = encodeBody(name, [line(3), line(4)], { time: TIME });
  for (const body of [packed, zstdDecompressSync(packed)]) {
    for (let length = 0; length < body.length; length++) {
      assert.throws(() => decodeBody(name, body.subarray(0, length)), CorruptObjectError);
    }
  }
});

Deno.test("decodeBody() refuses an unpacked body that is too large, or not UTF-8", () => {
  const huge = new Uint8Array(MAX_OBJECT_BYTES + 1).fill(0x20);
  huge.set(new TextEncoder().encode(HEADER));
  assertCorrupt(huge, /it has more than 33554432 bytes/);
  const body = new Uint8Array([...new TextEncoder().encode(`${HEADER}\n`), 0xff, 10]);
  assertCorrupt(body, /it is not text/);
});

Deno.test("decodeBody() refuses a body that is not what its key says", () => {
  const lines = `${line(3)}\n${line(4)}\n`;
  assertCorrupt(new Uint8Array(), /it is empty/);
  assertCorrupt(new TextEncoder().encode("<html>"), /not zstd/);
  assertCorrupt(compress(`${HEADER}\n${lines.trimEnd()}`), /last newline is missing/);
  assertCorrupt(compress(`${HEADER}\n${line(3)}\n`), /holds 1 updates, its key says 2/);
  assertCorrupt(compress(`${HEADER}\n${lines}${line(5)}\n`), /holds more updates, its key says 2/);
  assertCorrupt(compress(`${HEADER}\n${line(3)}\n{"seq":4\n`), /line 3 is not JSON/);
  assertCorrupt(compress(`${HEADER}\n${line(3)}\n[]\n`), /line 3 is not a JSON object/);
  assertCorrupt(compress(`${HEADER}\n${line(3)}\n${line(3)}\n`), /seq 4 is malformed/);
  assertCorrupt(compress(`${HEADER}\n${lines.replace(idOf(4), "1")}`), /seq 4 is malformed/);
  assertCorrupt(compress(`not json\n${lines}`), /line 1 is not JSON/);
  assertCorrupt(compress(HEADER.replace("abcdefgh", "bbbbbbbb") + `\n${lines}`), /"stream"/);
  assertCorrupt(compress(HEADER.replace('"first":3', '"first":2') + `\n${lines}`), /"first": 2/);
  assertCorrupt(compress(HEADER.replace('"count":2', '"count":1') + `\n${lines}`), /"count": 1/);
  for (const reader of ["0", '"2"', "1.5", "null"]) {
    const header = HEADER.replace('"feedsync":1', `"feedsync":${reader}`);
    assertCorrupt(compress(`${header}\n${lines}`), /its header says "feedsync"/);
  }
});

Deno.test("decodeBody() says that a newer version is needed, whatever else is in the body", () => {
  const header = HEADER.replace('"feedsync":1', '"feedsync":2');
  const lines = `${line(3)}\n${line(4)}\n`;
  for (const rest of ["", "\n", "\nanother format", `\n${lines}`]) {
    assert.throws(() => decodeBody(name, compress(header + rest)), (error) => {
      assert.ok(error instanceof UnsupportedFormatError);
      assert.match(error.message, /needs a reader of format 2.*reads up to 1; upgrade feedsync/);
      return error.reader === 2;
    });
  }
});

Deno.test("decodeBody() ignores members that it does not know", () => {
  const lines = `${line(3)}\n${line(4)}\n`;
  const header = HEADER.replace('"feedsync":1', '"feedsync":1,"format":7,"later":[{}]');
  const body = compress(`${header}\n${lines.replaceAll('"seq"', '"later":1,"seq"')}`);
  assert.deepEqual(decodeBody(name, body), decodeBody(name, compress(`${HEADER}\n${lines}`)));
});

Deno.test("decodeBody() refuses a body that unpacks to gigabytes, quickly", () => {
  // 1 GiB of zeros, as one zstd frame of run-length blocks of 128 KiB each (RFC 8878, 3.1.1.2).
  const blocks = 8192, block = 128 * 1024;
  const bomb = new Uint8Array(6 + 4 * blocks);
  bomb.set([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50]);
  for (let i = 0; i < blocks; i++) {
    const header = (block << 3) | (1 << 1) | (i === blocks - 1 ? 1 : 0);
    bomb.set([header & 0xff, (header >> 8) & 0xff, header >> 16, 0], 6 + 4 * i);
  }
  assertCorrupt(bomb, /not zstd-compressed text/);
});

Deno.test("decodeObject() tells what an object takes in memory, of which its length says little", () => {
  const name = objectName({
    kind: "tail",
    stream: "web-1_abcdefgh",
    first: 1,
    last: 1,
    writer: "zzzzzzzz",
  });
  const sizeOf = (content: string) => {
    const body = `"content":${content},"metadata":{}`;
    const line = updateLine({ id: crypto.randomUUID(), url: "a:", time: 0, body }, 1);
    return decodeObject(name, encodeBody(name, [line], { time: "" })).size;
  };
  assert.ok(sizeOf('""') < 2_000, "an object of one short text");
  assert.ok(sizeOf(JSON.stringify(",".repeat(1_000_000))) < 1_100_000, "a long text");
  assert.ok(sizeOf(`[${"{},".repeat(10_000)}{}]`) > 1_000_000, "many values");
});
