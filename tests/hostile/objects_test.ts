import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { decodeBody, MAX_UPDATE_BYTES } from "../../lib/log/codec.ts";
import { sleep } from "../../lib/base/environment.ts";
import { CorruptObjectError } from "../../lib/errors.ts";
import { objectName } from "../../lib/log/names.ts";
import { publish } from "../../lib/publish.ts";
import { MAX_OBJECT_BYTES } from "../../lib/stores/store.ts";
import { watch } from "../../lib/watch.ts";
import { Fleet, urlOf } from "../fixture.ts";
import { bodyOf, lineOf, nestedText, ones } from "./values.ts";

const STREAM = "evil_abcdefgh";
const TIME_LIMIT = 5_000;

function commit(first: number, last = first, stream = STREAM) {
  return objectName({ kind: "tail", stream, first, last, writer: "zzzzzzzz" });
}

/** Asserts that the body is refused, soon and in few words. */
function assertRefused(name: ReturnType<typeof commit>, body: Uint8Array, message: RegExp): void {
  const begin = performance.now();
  assert.throws(() => decodeBody(name, body), (error) => {
    assert.ok(error instanceof CorruptObjectError, String(error));
    assert.match(error.message, message);
    assert.ok(error.message.length < 500, `${error.message.length} characters`);
    return true;
  });
  assert.ok(performance.now() - begin < TIME_LIMIT, `${performance.now() - begin} ms`);
}

/** JSON that a parser reads, and that nothing can write out again. */
const TOO_MUCH: Record<string, string> = {
  "arrays a million deep": nestedText("[", "]", 1_000_000),
  "objects a million deep": nestedText('{"a":', "}", 1_000_000, "1"),
  "numbers by the hundred thousand that are 490 deep": nestedText("[", "]", 490, ones(200_000)),
};

for (const [what, json] of Object.entries(TOO_MUCH)) {
  Deno.test(`${what} make an object unreadable, wherever they are in it`, () => {
    assertRefused(commit(1), bodyOf(commit(1), [lineOf(1, { content: json })]), /is nested/);
    assertRefused(commit(1), bodyOf(commit(1), [lineOf(1, { metadata: `{"m":${json}}` })]), /nest/);
    assertRefused(commit(1), bodyOf(commit(1), [lineOf(1, { url: json })]), /malformed/);
    assertRefused(commit(1), bodyOf(commit(1), [lineOf(1, { encoding: json })]), /"?encod|decoded/);
    const header = `{"feedsync":${json}}\n${lineOf(1)}\n`;
    assertRefused(commit(1), zstdCompressSync(header), /its header says "feedsync": object/);
  });

  Deno.test(`${what} hold up no other stream, and a plugin does not see them`, async () => {
    await using fleet = new Fleet();
    await fleet.publish(fleet.server("web-1"), "a");
    await fleet.store.put(commit(1).key, bodyOf(commit(1), [lineOf(1, { content: json })]));
    await using received = fleet.watch(fleet.server("web-2"));
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents, ["a"]);
  });
}

Deno.test("an object of millions of values is refused before one is made, wherever they are in it", () => {
  const json = `[${"{},".repeat(2_000_000)}{}]`;
  const members = ["content", "metadata", "url", "encoding", "unknown"];
  for (const member of members) {
    const body = bodyOf(commit(1), [lineOf(1, { [member]: json })]);
    assertRefused(commit(1), body, /: it holds more than 1000000 values$/);
  }
  const header = zstdCompressSync(`{"feedsync":${json}}\n${lineOf(1)}\n`);
  assertRefused(commit(1), header, /: it holds more than 1000000 values$/);
  const part = lineOf(1, { content: `[${"{},".repeat(100_000)}{}]` });
  const body = bodyOf(commit(1, 6), Array.from({ length: 6 }, () => part));
  assertRefused(commit(1, 6), body, /: it holds more than 1000000 values$/);
});

Deno.test("updates that are fine one by one are refused when they are nested too far together", () => {
  const content = nestedText("[", "]", 490, ones(40_000));
  const lines = [1, 2].map((seq) => lineOf(seq, { content }));
  assert.equal(decodeBody(commit(1), bodyOf(commit(1), lines.slice(0, 1))).length, 1);
  assertRefused(
    commit(1, 2),
    bodyOf(commit(1, 2), lines),
    /seq 2 is nested so that indenting it adds/,
  );
});

Deno.test("as many values as may be published arrive, and any number of commas in a text", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const contents = [JSON.parse(`[${ones(999_999)}]`), ',[{"\\'.repeat(500_000)];
  for (const content of contents) await publish(web1, { url: urlOf("large"), content });
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, contents);
});

Deno.test("large values of many streams are not held all at once, and arrive", async () => {
  await using fleet = new Fleet();
  const content = `[${ones(800_000)}]`;
  for (const server of ["a", "b", "c", "d", "e"]) {
    const name = commit(1, 1, `${server}_abcdefgh`);
    const line = lineOf(1, { url: JSON.stringify(urlOf(server)), content });
    await fleet.store.put(name.key, bodyOf(name, [line]));
  }
  let applied = 0, atOnce = 0, most = 0;
  await using watcher = watch(fleet.server("web-2"), async () => {
    most = Math.max(most, ++atOnce);
    await sleep(fleet.time.clock, 1_000);
    atOnce--;
    applied++;
  }, { manual: true });
  await fleet.time.run(watcher.poll());
  assert.equal(applied, 5);
  assert.ok(most <= 2, `${most} at once`);
});

Deno.test("content as deep as may be published arrives, with metadata as deep", async () => {
  await using fleet = new Fleet();
  const content = JSON.parse(nestedText("[", "]", 500));
  const metadata = JSON.parse(nestedText('{"a":', "}", 499, "{}"));
  await publish(fleet.server("web-1"), { url: urlOf("deep"), content, metadata });
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, [content]);
});

Deno.test("an object of millions of lines is refused without a value for each", () => {
  const lines = "\n".repeat(MAX_OBJECT_BYTES - 1);
  assertRefused(commit(1), zstdCompressSync(lines), /line 1 is not JSON/);
  assertRefused(
    commit(1),
    bodyOf(commit(1), [lineOf(1), lines.slice(1_000)]),
    /holds more updates/,
  );
  const many = commit(1, 9_000_000);
  assertRefused(
    many,
    bodyOf(many, [lines.slice(1_000)]),
    /no object holds more than 10000 updates/,
  );
});

Deno.test("an object that unpacks to more than 32 MiB is refused", () => {
  const line = lineOf(1, { content: JSON.stringify("x".repeat(MAX_OBJECT_BYTES)) });
  assertRefused(commit(1), bodyOf(commit(1), [line]), /not zstd-compressed text/);
});

Deno.test("the largest update that may be published is read, though nothing compresses it", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const url = urlOf("large");
  // The line without its content: what it takes beyond that is said when it is too large.
  const most = new Uint8Array(Math.floor((MAX_UPDATE_BYTES - 300) / 4) * 3);
  for (let i = 0; i < most.length; i += 65536) crypto.getRandomValues(most.subarray(i, i + 65536));
  await publish(web1, { url, content: most });
  const [key] = fleet.keys("tail/");
  assert.ok(fleet.store.objects.get(key)!.body.length < MAX_OBJECT_BYTES);
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.ok(Buffer.from(received.updates[0].content as Uint8Array).equals(most));
});

Deno.test("no object that is written comes near what readers refuse", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const lines = new Map<string, number>();
  fleet.store.after("put", (key) => lines.set(key, fleet.read(key).length));
  // As short as lines get, and as many as there can be in a segment.
  for (let i = 0; i < 30; i++) {
    await publish(
      web1,
      Array.from({ length: 1500 }, () => ({ url: "http://a/", removed: true as const })),
    );
  }
  assert.ok([...lines.keys()].some((key) => key.startsWith("segments/")));
  assert.ok(Math.max(...lines.values()) < 5_000, String(Math.max(...lines.values())));
});

Deno.test("updates that are nested far are never so many in an object that readers refuse it", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const counts = new Map<string, number>();
  fleet.store.after("put", (key) => counts.set(key, fleet.read(key).length));
  const content = JSON.parse(nestedText("[", "]", 490, ones(8_000)));
  const update = { url: urlOf("deep"), content };
  await publish(web1, Array.from({ length: 10 }, () => update));
  for (let i = 0; i < 20; i++) await publish(web1, update);
  const segments = [...counts].filter(([key]) => key.startsWith("segments/"));
  assert.ok(segments.some(([, count]) => count > 1));
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.equal(received.updates.length, 30);
});

Deno.test("an update whose URL publish() would refuse is none", () => {
  const urls = [
    "",
    "feed.xml",
    "../../etc/passwd",
    "//host/x",
    "https://\ud800/",
    "https://[/",
    "https://x/\0",
  ];
  for (const url of [...urls, `https://example.com/${"x".repeat(32 * 1024)}`]) {
    const line = lineOf(1, { url: JSON.stringify(url) });
    assertRefused(commit(1), bodyOf(commit(1), [line]), /malformed/);
  }
});

Deno.test("keys of prototypes are keys like others, and change no object", () => {
  const keys = '{"__proto__":{"evil":1},"constructor":{"prototype":{"evil":1}},"toString":1}';
  const line = lineOf(1, { content: keys, metadata: keys, ["__proto__"]: keys });
  const [{ content, metadata, ...update }] = decodeBody(
    commit(1),
    bodyOf(commit(1), [line], JSON.parse(`{"__proto__":${keys}}`)),
  );
  assert.equal(JSON.stringify(content), keys);
  assert.equal(JSON.stringify(metadata), keys);
  assert.deepEqual(Object.keys(update), ["seq", "id", "url", "time"]);
  assert.equal(Object.getPrototypeOf(update), Object.prototype);
  assert.equal("evil" in {}, false);
});

Deno.test("a seq as high as numbers go is read, and what seems to be before it is a gap", async () => {
  await using fleet = new Fleet();
  const name = commit(Number.MAX_SAFE_INTEGER);
  await fleet.store.put(name.key, bodyOf(name, [lineOf(name.last)]));
  const web2 = fleet.server("web-2");
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.updates.map(({ seq }) => seq), [Number.MAX_SAFE_INTEGER]);
  assert.equal(web2.parts!.state.cursors.get(STREAM), Number.MAX_SAFE_INTEGER);
});
