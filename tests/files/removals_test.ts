import assert from "node:assert/strict";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { Scene } from "./servers.ts";
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
  assert.equal(s.records.files.get(s.path(A)), null);
  const loud = await s.restart({ publishRemovals: true });
  assert.equal((await loud.scan()).removed, 0);
  await Deno.remove(s.path(B));
  assert.equal((await loud.scan()).removed, 1);
  assert.deepEqual(s.records.published.at(-1), { path: s.path(B), url: B_URL, removed: true });
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
  assert.equal(s.log.lines.filter((line) => line.includes("is empty, and 1 files")).length, 1);
  await Deno.remove(s.directory);
  await Deno.rename(`${s.root}/aside`, s.directory);
  assert.deepEqual((await watcher.scan()).failed, []);
  assert.equal(s.records.published.length, 1);
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
  assert.deepEqual(s.records.published.at(-1), {
    path: s.path("weather.feed"),
    url: A_URL,
    removed: true,
  });
});

Deno.test("a removal of a feed whose URL is not known is reported", async () => {
  await using s = new Setting();
  s.records.tellsUrls = false; // As a state of 0.1.
  await s.write("weather.feed", "x");
  await s.write("weather.feed.json", '{"url":"https://a.example/"}');
  await s.write(B, "b");
  await (await s.restart()).scan();
  await Deno.remove(s.path("weather.feed"));
  await Deno.remove(s.path("weather.feed.json"));
  const report = await (await s.restart({ publishRemovals: true })).scan();
  assert.deepEqual(report.failed, [s.path("weather.feed")]);
  assert.match(s.log.lines.join("\n"), /weather\.feed.*gone, and the URL of its feed is not known/);
});

/** Two servers with states of their own: one writes what it receives, the other watches for removals. */
async function mirrorAndFiles(s: Scene) {
  const mirror = await s.server("mirror", { mirrors: true });
  const files = await s.server("files", { publishRemovals: true });
  for (const url of [A_URL, B_URL]) await s.publish({ url, content: "v1" });
  await mirror.poll();
  await files.poll();
  await files.scan();
  return { mirror, files };
}

Deno.test("a removal that another process applied is not published again over what came after it", async () => {
  await using s = new Scene();
  const { mirror, files } = await mirrorAndFiles(s);
  await using _mirror = mirror, _files = files;
  await s.publish({ url: A_URL, removed: true });
  await mirror.poll();
  await s.publish({ url: A_URL, content: "v2" });
  assert.equal((await files.scan()).removed, 0);
  assert.ok(await s.isNewest(A_URL, "v2"));
  assert.match(files.log.lines.join("\n"), /is gone: a newer update of its feed is known/);
  await Deno.remove(s.path(feedFileName(B_URL)));
  assert.equal((await files.scan()).removed, 1);
});

Deno.test("no removal is published while it cannot be learned what others have published", async () => {
  await using s = new Setting();
  for (const name of [A, B]) await s.write(name, name);
  let isAway = true;
  const catchUp = () => isAway ? Promise.reject(new Error("The store is away")) : Promise.resolve();
  const watcher = await s.restart({ publishRemovals: true, catchUp });
  await watcher.scan();
  await Deno.remove(s.path(A));
  const report = await watcher.scan();
  assert.deepEqual([report.removed, report.failed], [0, [s.path(A)]]);
  assert.match(s.log.lines.join("\n"), /The store is away/);
  isAway = false;
  assert.equal((await watcher.scan()).removed, 1);
});

Deno.test("files that are seen in the place of a disk are not removed once the disk is back", async () => {
  await using s = new Scene();
  const own = Array.from({ length: 3 }, (_, i) => `https://example.com/n${i}`);
  const options = { mirrors: true, publishRemovals: true };
  {
    await using server = await s.server("web-1", options);
    await server.poll();
    for (const url of own) await s.write(feedFileName(url), url);
    await server.scan();
  }
  await Deno.rename(s.directory, `${s.root}/disk`);
  await Deno.mkdir(s.directory);
  await s.publish({ url: A_URL, content: "received" });
  await s.write(feedFileName(B_URL), "saved");
  {
    await using server = await s.server("web-1", options);
    await server.poll().catch(() => {});
    const report = await server.scan();
    assert.deepEqual([report.removed, report.withheld], [0, [s.directory]]);
    assert.ok(await s.isNewest(B_URL, "saved"));
    await s.write(feedFileName(B_URL), "saved again");
    assert.equal((await server.scan()).published, 1);
    await s.write(feedFileName(B_URL), "saved");
    assert.equal((await server.scan()).published, 1);
  }
  await Deno.remove(s.directory, { recursive: true });
  await Deno.rename(`${s.root}/disk`, s.directory);
  await using server = await s.server("web-1", options);
  for (let i = 0; i < 2; i++) assert.equal((await server.scan()).removed, 0);
  assert.ok(await s.isNewest(A_URL, "received"));
  assert.ok(await s.isNewest(B_URL, "saved"));
});

Deno.test("between two directories that differ in a few files no feed is removed", async () => {
  await using s = new Setting();
  const names = Array.from({ length: 20 }, (_, i) => `https___a.example_n${i}.feed`);
  for (const name of names) await s.write(name, name);
  const watcher = await s.restart({ publishRemovals: true });
  await watcher.scan();
  await s.shell("cp -a feeds copy; rm -r feeds; mv copy feeds; rm feeds/*n1.feed");
  assert.equal((await watcher.scan()).removed, 0);
  await Deno.remove(s.path(names[2]));
  assert.equal((await watcher.scan()).removed, 1);
});
