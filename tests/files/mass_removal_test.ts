import assert from "node:assert/strict";
import { BackendUnavailableError } from "../../lib/errors.ts";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { Setting } from "./setting.ts";
import { Scene } from "./servers.ts";

const urls = Array.from({ length: 40 }, (_, i) => `https://a.example/n${i}`);
const names = urls.map(feedFileName);

async function filled(s: Setting, count = 40) {
  for (const name of names.slice(0, count)) await s.write(name, name);
  const watcher = await s.restart({ publishRemovals: true });
  assert.equal((await watcher.scan()).published, count);
  return watcher;
}

const removals = (s: Setting) => s.records.published.filter(({ removed }) => removed).length;
const removeAll = (s: Setting, some: readonly string[]) =>
  Promise.all(some.map((name) => Deno.remove(s.path(name))));

Deno.test("more than a tenth of all files gone at once are not removed, until a person says so", async () => {
  await using s = new Setting();
  const watcher = await filled(s);
  await removeAll(s, names.slice(0, 5));
  for (let i = 0; i < 2; i++) assert.equal((await watcher.scan()).removed, 0);
  const told = s.log.lines.filter((line) => line.includes("5 of 40 feed files"));
  assert.equal(told.length, 1, s.log.lines.join("\n"));
  assert.match(told[0], /feedsync publish --remove URL.*--remove-missing/);
  assert.equal((await (await s.restart({ publishRemovals: "all" })).scan()).removed, 5);
});

Deno.test("files that come back after many were gone are as they were", async () => {
  await using s = new Setting();
  const watcher = await filled(s);
  await removeAll(s, names);
  await s.write(names[0], "new");
  await watcher.scan();
  s.records.receive(urls[1], "newer", Date.now() + 60_000);
  for (const name of names.slice(1)) await s.write(name, name);
  const before = s.records.published.length;
  await watcher.scan();
  assert.equal(s.records.published.length, before);
  assert.equal(removals(s), 0);
});

Deno.test("a few files are removed, and each is logged; more within the hour are not", async () => {
  await using s = new Setting();
  const watcher = await filled(s);
  await removeAll(s, names.slice(0, 4));
  assert.equal((await watcher.scan()).removed, 4);
  assert.equal(s.log.lines.filter((line) => line.includes("is gone: published that")).length, 4);
  await removeAll(s, names.slice(4, 5));
  assert.equal((await (await s.restart({ publishRemovals: true })).scan()).removed, 0);
  assert.equal(removals(s), 4);
});

Deno.test("a directory that vanishes file by file removes no more than a tenth", async () => {
  await using s = new Setting();
  for (const name of names) await s.write(name, name);
  await s.start({ publishRemovals: true });
  await s.records.until(({ published }) => published.length === 40);
  for (const name of names) await Deno.remove(s.path(name));
  await s.log.until("are gone within an hour");
  await (await s.restart({ publishRemovals: true })).scan();
  assert.ok(removals(s) <= 4, `${removals(s)} were removed`);
});

Deno.test("removals that others published, and renamed files, are not counted", async () => {
  await using s = new Setting();
  const watcher = await filled(s);
  for (const [i, url] of urls.slice(0, 20).entries()) {
    s.records.urls.set(url, { time: Date.now(), hash: null });
    await Deno.remove(s.path(names[i]));
  }
  for (const name of names.slice(20, 30)) {
    await Deno.rename(
      s.path(name),
      s.path(name.replace(/^.*n(\d+)\.feed$/, "https___a.example_n$1.feed")),
    );
  }
  await Deno.remove(s.path(names[39]));
  for (let i = 0; i < 2; i++) await watcher.scan();
  assert.equal(removals(s), 1);
});

Deno.test("what was received into the place of a disk that is not mounted removes nothing", async () => {
  for (const count of [2, 30]) {
    await using s = new Scene();
    {
      await using server = await s.server("web-1", { mirrors: true, publishRemovals: true });
      await server.poll();
      for (const name of names.slice(0, count)) await s.write(name, name);
      assert.equal((await server.scan()).published, count);
    }
    await Deno.rename(s.directory, `${s.root}/disk`);
    await Deno.mkdir(s.directory);
    await s.publish({ url: urls[0], content: "received" });
    await s.publish({ url: "https://a.example/new", content: "received" });
    await using server = await s.server("web-1", { mirrors: true, publishRemovals: true });
    await assert.rejects(server.poll(), BackendUnavailableError);
    for (let i = 0; i < 2; i++) {
      const report = await server.scan();
      assert.deepEqual([report.published, report.removed], [0, 0]);
    }
    assert.match(server.log.lines.join("\n"), /not taken/);
    await Deno.remove(s.directory, { recursive: true });
    await Deno.rename(`${s.root}/disk`, s.directory);
    const report = await server.scan();
    assert.deepEqual([report.published, report.removed], [0, 0]);
    assert.ok(await s.isNewest(urls[0], "received"));
  }
});
