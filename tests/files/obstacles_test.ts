import assert from "node:assert/strict";
import { MAX_UPDATE_BYTES } from "../../lib/log/codec.ts";
import { InvalidUpdateError } from "../../lib/errors.ts";
import { Setting } from "./setting.ts";

const A = "https___a.example_.feed";
const B = "https%3A%2F%2Fb.example%2F.feed";

Deno.test("a link to a file is read like one; a dangling one neither publishes nor removes", async () => {
  await using s = new Setting();
  await Deno.writeTextFile(`${s.root}/target`, "one");
  await Deno.symlink("../target", s.path(A));
  await Deno.symlink("nowhere", s.path(B));
  await Deno.mkdir(s.path("https___c.example_.feed"));
  await Deno.symlink(".", s.path("https___d.example_.feed"));
  await s.shell("mkfifo feeds/https___e.example_.feed");
  const watcher = await s.restart({ publishRemovals: true });
  const first = await watcher.scan();
  assert.deepEqual([first.published, first.failed], [1, []]);
  await Deno.writeTextFile(`${s.root}/target`, "two!");
  assert.equal((await watcher.scan()).published, 1);
  await Deno.remove(`${s.root}/target`);
  const last = await watcher.scan();
  assert.deepEqual([last.published, last.removed, last.failed], [0, 0, []]);
});

Deno.test("hidden files, other names and subdirectories are none of our business", async () => {
  await using s = new Setting();
  for (const name of [".https___a.example_.feed", ".feed", "feed", "a.feed.json", "b.feed~"]) {
    await s.write(name, "x");
  }
  await Deno.mkdir(s.path("deep"));
  await s.write(`deep/${A}`, "x");
  assert.deepEqual(await (await s.restart()).scan(), {
    files: 0,
    published: 0,
    removed: 0,
    failed: [],
    unsettled: [],
    withheld: [],
  });
  assert.deepEqual(s.log.lines, []);
});

Deno.test("a file that cannot be published is told once, tried again, and stops no other", async () => {
  await using s = new Setting();
  await s.write("notes.feed", "x");
  await s.write("https___c.example_.feed", "x");
  await s.write("https___c.example_.feed.json", "{");
  await Deno.symlink("https___loop.example_.feed", s.path("https___loop.example_.feed"));
  await s.write(B, "x");
  await Deno.truncate(s.path(B), MAX_UPDATE_BYTES + 1);
  await s.write(A, "fine");
  const watcher = await s.restart();
  const bad = ["notes.feed", "https___c.example_.feed", "https___loop.example_.feed", B]
    .map((name) => s.path(name)).sort();
  assert.deepEqual([...(await watcher.scan()).failed].sort(), bad);
  assert.deepEqual([...(await watcher.scan()).failed].sort(), bad);
  assert.equal(s.records.published.length, 1);
  assert.equal(s.log.lines.length, 4, s.log.lines.join("\n"));
  for (const path of bad) assert.ok(s.log.lines.some((line) => line.includes(path)), path);
  assert.equal(s.records.files.size, 1);

  await s.write("https___c.example_.feed.json", '{"url":"https://other.example/"}');
  assert.equal((await watcher.scan()).published, 1);
  assert.equal(s.records.published[1].url, "https://other.example/");
});

Deno.test("an update that is refused is told and tried again", async () => {
  await using s = new Setting();
  await s.write(A, "x");
  s.records.failure = new InvalidUpdateError("The disk is full");
  const watcher = await s.restart();
  assert.deepEqual((await watcher.scan()).failed, [s.path(A)]);
  assert.match(s.log.lines[0], /The disk is full/);
  s.records.failure = undefined;
  assert.equal((await watcher.scan()).published, 1);
});

Deno.test("a missing directory and a file in its place are told, and count as failed", async () => {
  await using s = new Setting();
  await Deno.remove(s.directory);
  const watcher = await s.restart();
  assert.deepEqual((await watcher.scan()).failed, [s.directory]);
  assert.match(s.log.lines[0], /^There is no feed directory '/);
  await Deno.writeTextFile(s.directory, "");
  assert.deepEqual((await watcher.scan()).failed, [s.directory]);
  assert.match(s.log.lines[1], /^Cannot scan the feed directory '/);
});

Deno.test("scan() stops when its signal is aborted", async () => {
  await using s = new Setting();
  await s.write(A, "x");
  const watcher = await s.restart({ settleMs: 3_600_000 });
  const controller = new AbortController();
  const scan = watcher.scan(controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(scan, /enough/);
  await assert.rejects(watcher.scan(controller.signal), /enough/);
});

Deno.test("many files that cannot be published hide nothing that is wrong with the directory", async () => {
  await using s = new Setting();
  for (let i = 0; i < 101; i++) await s.write(`https___${i}.example_.feed`, "");
  const watcher = await s.restart();
  await watcher.scan();
  assert.match(s.log.lines.at(-1)!, /There are more than 100 such problems/);
  await Deno.remove(s.directory, { recursive: true });
  await watcher.scan();
  assert.match(s.log.lines.at(-1)!, /There is no feed directory/);
  assert.equal(s.log.lines.length, 102);
});
