import assert from "node:assert/strict";
import { Setting } from "./setting.ts";

const A = "https___a.example_.feed", A_URL = "https://a.example/";
const B = "https%3A%2F%2Fb.example%2F.feed", B_URL = "https://b.example/";

Deno.test("renaming a file of a feed to its other form is no removal", async () => {
  await using s = new Setting();
  await s.write("https___a.example_.feed", "one");
  const watcher = await s.restart({ publishRemovals: true });
  await watcher.scan();
  await Deno.rename(s.path("https___a.example_.feed"), s.path("https%3A%2F%2Fa.example%2F.feed"));
  const report = await watcher.scan();
  assert.deepEqual([report.published, report.removed], [0, 0]);
});

Deno.test("a removal is remembered, and published once when that is asked for", async () => {
  await using s = new Setting();
  for (const name of [A, B]) await s.write(name, name);
  const quiet = await s.restart();
  await quiet.scan();
  await Deno.remove(s.path(A));
  assert.equal((await quiet.scan()).removed, 0);
  assert.equal(s.index.files.get(s.path(A)), null);
  const loud = await s.restart({ publishRemovals: true });
  assert.equal((await loud.scan()).removed, 0);
  await Deno.remove(s.path(B));
  assert.equal((await loud.scan()).removed, 1);
  assert.deepEqual(s.index.published.at(-1), { path: s.path(B), url: B_URL, removed: true });
  assert.equal((await loud.scan()).removed, 0);
});

Deno.test("a directory found empty after a restart removes feeds once there is a file again", async () => {
  await using s = new Setting();
  await s.write(A, "a");
  await (await s.restart()).scan();
  await Deno.remove(s.path(A));
  const watcher = await s.restart({ publishRemovals: true });
  assert.equal((await watcher.scan()).removed, 0);
  await s.write(B, "b");
  const report = await watcher.scan();
  assert.deepEqual([report.published, report.removed], [1, 1]);
});

Deno.test("the last file of a directory that is still the same is removed", async () => {
  await using s = new Setting();
  await s.write(A, "a");
  const watcher = await s.restart({ publishRemovals: true });
  await watcher.scan();
  await Deno.remove(s.path(A));
  assert.equal((await watcher.scan()).removed, 1);
});

Deno.test("a directory that vanished, or is empty in its place, removes no feed", async () => {
  await using s = new Setting();
  await s.write(A, "a");
  const watcher = await s.restart({ publishRemovals: true });
  await watcher.scan();
  await Deno.rename(s.directory, `${s.root}/aside`);
  assert.deepEqual((await watcher.scan()).failed, [s.directory]);
  await Deno.mkdir(s.directory);
  assert.equal((await watcher.scan()).removed, 0);
  assert.equal((await watcher.scan()).removed, 0);
  assert.equal(s.log.lines.filter((line) => line.includes("is empty, but 1 files")).length, 1);
  await Deno.remove(s.directory);
  await Deno.rename(`${s.root}/aside`, s.directory);
  assert.deepEqual((await watcher.scan()).failed, []);
  assert.equal(s.index.published.length, 1);
});

Deno.test("the removal of a feed named by its .feed.json is published though both are gone", async () => {
  await using s = new Setting();
  await s.write("weather.feed", "x");
  await s.write("weather.feed.json", '{"url":"https://a.example/"}');
  await s.write(B, "b");
  await (await s.restart()).scan();
  const watcher = await s.restart({ publishRemovals: true });
  await Deno.remove(s.path("weather.feed"));
  await Deno.remove(s.path("weather.feed.json"));
  assert.equal((await watcher.scan()).removed, 1);
  assert.deepEqual(s.index.published.at(-1), {
    path: s.path("weather.feed"),
    url: A_URL,
    removed: true,
  });
});

Deno.test("a removal that nothing tells the URL of is reported", async () => {
  await using s = new Setting();
  s.index.tellsUrls = false; // As a state of 0.1.
  await s.write("weather.feed", "x");
  await s.write("weather.feed.json", '{"url":"https://a.example/"}');
  await s.write(B, "b");
  await (await s.restart()).scan();
  await Deno.remove(s.path("weather.feed"));
  await Deno.remove(s.path("weather.feed.json"));
  const report = await (await s.restart({ publishRemovals: true })).scan();
  assert.deepEqual(report.failed, [s.path("weather.feed")]);
  assert.match(s.log.lines.join("\n"), /weather\.feed.*gone, and the URL of its feed is unknown/);
});
