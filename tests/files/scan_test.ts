import assert from "node:assert/strict";
import { fastEnvironment, hashOf, Setting } from "./setting.ts";

const A = "https___a.example_.feed", A_URL = "https://a.example/";
const B = "https%3A%2F%2Fb.example%2F.feed", B_URL = "https://b.example/";

Deno.test("scan() publishes all files at first, and nothing when repeated or restarted", async () => {
  await using s = new Setting();
  await s.write(A, "a");
  await s.write(B, "b");
  const watcher = await s.restart();
  assert.deepEqual(await watcher.scan(), {
    files: 2,
    published: 2,
    removed: 0,
    failed: [],
    unsettled: [],
    withheld: [],
  });
  assert.deepEqual(s.records.published.map(({ url, content }) => [url, content]).sort(), [
    [A_URL, "a"],
    [B_URL, "b"],
  ]);
  assert.equal((await watcher.scan()).published, 0);
  assert.equal((await (await s.restart()).scan()).published, 0);
});

Deno.test("scan() finds what was changed, made and removed while nothing was running", async () => {
  await using s = new Setting();
  await s.write(A, "a");
  await s.write(B, "b");
  await (await s.restart()).scan();
  await s.write(A, "a2");
  await Deno.remove(s.path(B));
  await s.write("https___c.example_.feed", "c");
  const report = await (await s.restart({ publishRemovals: true })).scan();
  assert.deepEqual([report.published, report.removed], [2, 1]);
  assert.deepEqual(s.records.urls.get(A_URL)?.hash, hashOf("a2"));
  assert.deepEqual(s.records.urls.get(B_URL)?.hash, null);
});

Deno.test("scan() reads no file again that is unchanged", async () => {
  await using s = new Setting();
  for (let i = 0; i < 20; i++) await s.write(`https___a.example_n${i}.feed`, "x");
  const watcher = await s.restart({ environment: fastEnvironment({ ahead: 10_000 }) });
  await watcher.scan();
  const { lookups } = s.records;
  assert.ok(lookups >= 20);
  await watcher.scan();
  assert.equal(s.records.lookups, lookups);
});

Deno.test("scan() reads files again that were modified too recently to tell by their times", async () => {
  await using s = new Setting();
  await s.write(A, "one");
  const watcher = await s.restart();
  await watcher.scan();
  const { mtime, atime } = await Deno.stat(s.path(A));
  await s.write(A, "two");
  await Deno.utime(s.path(A), atime!, mtime!);
  assert.equal((await watcher.scan()).published, 1);
});

Deno.test("a file that grows while it is waited for is published whole, and once", async () => {
  await using s = new Setting();
  await s.write(A, "begin");
  // The file is looked at, marked, and written on.
  s.records.onNewest = () => {
    s.records.onNewest = () => {};
    Deno.writeTextFileSync(s.path(A), " end", { append: true });
  };
  await (await s.restart()).scan();
  assert.deepEqual(s.records.published.map(({ content }) => content), ["begin end"]);
});

Deno.test("an old file found at a first start does not overwrite a newer update", async () => {
  await using s = new Setting();
  s.records.receive(A_URL, "from afar");
  await s.write(A, "old");
  await Deno.utime(s.path(A), 1_000, 1_000);
  const watcher = await s.restart();
  assert.equal((await watcher.scan()).published, 0);
  await s.write(A, "edited");
  assert.equal((await watcher.scan()).published, 1);
});

Deno.test("content equal to the newest known update is not published", async () => {
  await using s = new Setting();
  const bytes = new Uint8Array([0x63, 0xe9]);
  s.records.receive(A_URL, { parsed: [1] }, 0);
  s.records.receive(B_URL, bytes, 0);
  await s.write(A, '{\n  "parsed": [\n    1\n  ]\n}\n');
  await s.write(B, bytes);
  assert.equal((await (await s.restart()).scan()).published, 0);
  assert.equal(s.records.files.get(s.path(B)), hashOf(bytes));
});

Deno.test("two files for one URL never publish in turns", async () => {
  await using s = new Setting();
  await s.write("https___a.example_.feed", "one");
  await s.write("https%3A%2F%2Fa.example%2F.feed", "two");
  const watcher = await s.restart({ publishRemovals: true });
  const [first] = [(await watcher.scan()).published];
  assert.equal(first, 1);
  for (let i = 0; i < 3; i++) assert.equal((await watcher.scan()).published, 0);
  assert.equal((await (await s.restart()).scan()).published, 0);
});

Deno.test("files for one URL are told once, all of them, until there is one only", async () => {
  await using s = new Setting();
  const [one, two] = [
    s.path("https%3A%2F%2Fa.example%2Fn1.feed"),
    s.path("https___a.example_n1.feed"),
  ];
  await Deno.writeTextFile(two, "two");
  const watcher = await s.restart();
  await watcher.scan();
  assert.deepEqual(s.log.lines, []);
  await Deno.writeTextFile(one, "one");
  for (const content of ["three", "four"]) {
    await watcher.scan();
    await Deno.writeTextFile(two, content);
  }
  await watcher.scan();
  const warning =
    `'${one}' and '${two}' stand for the same URL https://a.example/n1: keep one of ` +
    "them, each is published when it changes";
  assert.deepEqual(s.log.lines, [warning]);
  await s.write("named.feed", "x");
  await s.write("named.feed.json", '{"url":"https://a.example/n1"}');
  await watcher.scan();
  assert.match(s.log.lines[1], /n1\.feed' and '.*_n1\.feed' and '.*named\.feed' stand for/);
  await Deno.remove(s.path("named.feed"));
  await Deno.remove(one);
  await watcher.scan();
  assert.deepEqual(s.log.lines.slice(2), []);
  await Deno.writeTextFile(one, "again");
  await watcher.scan();
  assert.deepEqual(s.log.lines.slice(2), [warning]);
});

Deno.test("a changed .feed.json publishes the file under its new URL; metadata alone does not", async () => {
  await using s = new Setting();
  await s.write(A, "x");
  await s.write(`${A}.json`, '{"url":"https://one.example/"}');
  const watcher = await s.restart();
  await watcher.scan();
  await s.write(`${A}.json`, '{"url":"https://one.example/","metadata":{"changed":true}}');
  assert.equal((await watcher.scan()).published, 0);
  s.records.receive("https://two.example/", "older", 0);
  await s.write(`${A}.json`, '{"url":"https://two.example/","metadata":{"a":1}}');
  assert.equal((await watcher.scan()).published, 1);
  assert.deepEqual(s.records.published[1], {
    path: s.path(A),
    url: "https://two.example/",
    content: "x",
    metadata: { a: 1 },
  });
});

Deno.test("an empty file is told once, and published as soon as it has other content than before", async () => {
  await using s = new Setting();
  await s.write(A, "");
  await s.write(B, "b");
  const watcher = await s.restart();
  assert.deepEqual((await watcher.scan()).failed, [s.path(A)]);
  await s.write(A, "a");
  await s.write(B, "");
  for (let i = 0; i < 2; i++) assert.deepEqual((await watcher.scan()).failed, [s.path(B)]);
  const warnings = [A, B].map((name) =>
    `Cannot publish '${s.path(name)}': it is empty; it is published once it has content`
  );
  assert.deepEqual(s.log.lines, warnings);
  const contents = () => s.records.published.map(({ content }) => content);
  assert.deepEqual(contents(), ["b", "a"]);
  assert.equal(s.records.urls.get(B_URL)?.hash, hashOf("b"));
  await s.write(B, "b");
  assert.deepEqual((await watcher.scan()).failed, []);
  await s.write(B, "c");
  await watcher.scan();
  assert.deepEqual(contents(), ["b", "a", "c"]);
});

Deno.test("an empty file that holds what was received is nothing to warn of", async () => {
  await using s = new Setting();
  s.records.receive(A_URL, "");
  await s.write(A, "");
  assert.deepEqual((await (await s.restart()).scan()).failed, []);
  assert.deepEqual(s.log.lines, []);
});
