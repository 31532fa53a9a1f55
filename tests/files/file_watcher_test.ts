import assert from "node:assert/strict";
import { fastEnvironment, hashOf, Setting } from "./setting.ts";

const A = "https___a.example_.feed", A_URL = "https://a.example/";
const B = "https___b.example_.feed", B_URL = "https://b.example/";

Deno.test("a written file is published under the URL of its name, without a rescan", async () => {
  await using s = new Setting();
  await s.start();
  await s.write(A, "one");
  await s.records.untilNewest(A_URL, "one");
  await s.write(A, "two");
  await s.records.untilNewest(A_URL, "two");
  assert.deepEqual(s.records.published.map(({ content }) => content), ["one", "two"]);
});

Deno.test("of rapid rewrites only the last is published", async () => {
  await using s = new Setting();
  await s.start({ settleMs: 300 });
  for (let i = 0; i < 50; i++) await s.write(A, `version ${i}`);
  await s.records.until(({ published }) => published.length > 0);
  assert.deepEqual(s.records.published.map(({ content }) => content), ["version 49"]);
});

Deno.test("a file that replaces another atomically is published", async () => {
  await using s = new Setting();
  await s.start();
  for (const content of ["one", "two"]) {
    await Deno.writeTextFile(`${s.root}/temporary`, content);
    await Deno.rename(`${s.root}/temporary`, s.path(A));
    await s.records.untilNewest(A_URL, content);
  }
});

Deno.test("a .feed.json that comes after its file names the feed", async () => {
  await using s = new Setting();
  await s.start();
  await s.write("weather.feed", "sun");
  await s.log.until("its name is not the URL of a feed");
  await s.write("weather.feed.json", JSON.stringify({ url: A_URL }));
  await s.records.untilNewest(A_URL, "sun");
});

Deno.test("a file deleted and made again is published again, its removal in between", async () => {
  await using s = new Setting();
  await s.start({ publishRemovals: true });
  await s.write(A, "one");
  await s.records.untilNewest(A_URL, "one");
  await Deno.remove(s.path(A));
  await s.records.until(({ urls }) => urls.get(A_URL)?.hash === null);
  await s.write(A, "one");
  await s.records.untilNewest(A_URL, "one");
  assert.deepEqual(s.records.published.map(({ content, removed }) => content ?? removed), [
    "one",
    true,
    "one",
  ]);
});

Deno.test("a file replaced by deleting and writing it is never published as removed", async () => {
  await using s = new Setting();
  await s.start({ publishRemovals: true, settleMs: 100 });
  await s.write(A, "one");
  await s.records.untilNewest(A_URL, "one");
  await Deno.remove(s.path(A));
  await s.write(A, "two");
  await s.records.untilNewest(A_URL, "two");
  assert.deepEqual(s.records.published.map(({ content }) => content), ["one", "two"]);
});

Deno.test("watching goes on when the directory was deleted, renamed and made again", async () => {
  await using s = new Setting();
  await s.start({
    environment: fastEnvironment({ speed: 20 }),
    settleMs: 400,
    publishRemovals: true,
    rescanMs: 3_600_000,
  });
  await s.write(A, "one");
  await s.write(B, "b");
  await s.records.untilNewest(A_URL, "one");
  await s.records.untilNewest(B_URL, "b");

  await s.shell("rm -r feeds && mkdir feeds");
  await s.write(A, "two");
  await s.records.untilNewest(A_URL, "two");
  await s.write(A, "three");
  await s.records.untilNewest(A_URL, "three");

  await Deno.rename(s.directory, `${s.root}/aside`);
  await s.log.until("There is no feed directory");
  await Deno.rename(`${s.root}/aside`, s.directory);
  await s.log.until("is there now");
  await s.write(A, "four");
  await s.records.untilNewest(A_URL, "four");
});

Deno.test("watching starts when the directory appears, and says once that it waits", async () => {
  await using s = new Setting();
  await Deno.remove(s.directory);
  await s.start({
    environment: fastEnvironment({ speed: 20 }),
    settleMs: 400,
    rescanMs: 2_000,
  });
  await s.log.until("There is no feed directory");
  await Deno.mkdir(s.directory);
  await s.write(A, "one");
  await s.records.untilNewest(A_URL, "one");
  assert.equal(s.log.lines.filter((line) => line.includes("There is no")).length, 1);
});

Deno.test("what mirror writes is not published", async () => {
  await using s = new Setting();
  await s.start({ publishRemovals: true });
  for (const content of ["one", "two", "three"]) {
    s.records.receive(A_URL, content);
    await s.write(A, content);
    await s.records.until(({ files }) => files.get(s.path(A)) === hashOf(content));
  }
  s.records.urls.set(A_URL, { time: Date.now(), hash: null });
  await Deno.remove(s.path(A));
  await s.records.until(({ files }) => files.get(s.path(A)) === null);
  assert.deepEqual(s.records.published, []);
});

Deno.test("what mirror wrote is not published when the next update is known before it is read", async () => {
  await using s = new Setting();
  await s.start({ settleMs: 100 });
  await s.write(A, "mine");
  await s.records.untilNewest(A_URL, "mine");

  const marked = Promise.withResolvers<void>();
  s.records.receive(A_URL, "one");
  s.records.onNewest = () => marked.resolve();
  await s.write(A, "one");
  await marked.promise;
  s.records.receive(A_URL, "two");
  await s.records.until(({ files }) => files.get(s.path(A)) !== hashOf("mine"));
  assert.equal(s.records.files.get(s.path(A)), hashOf("one"));
  assert.deepEqual(s.records.published.map(({ content }) => content), ["mine"]);
});

Deno.test("a file that is appended to for ever is told of and not read, and others go on", async () => {
  await using s = new Setting();
  const watcher = await s.start({
    environment: fastEnvironment({ speed: 50 }),
    settleMs: 3_000,
    rescanMs: 1_000,
  });
  const stop = new AbortController();
  const log = await Deno.open(s.path(A), { create: true, append: true });
  const appending = (async () => {
    while (!stop.signal.aborted) {
      await log.write(new TextEncoder().encode("line\n"));
      await new Promise<void>((resolve) => setTimeout(resolve, 2));
    }
  })();
  await s.write(B, "calm");
  await s.records.untilNewest(B_URL, "calm");
  await s.log.until("keeps changing");
  assert.deepEqual((await watcher.scan()).unsettled, [s.path(A)]);
  assert.equal(s.records.published.length, 1);
  stop.abort();
  await appending;
  log.close();
  await s.records.untilNewest(A_URL, await Deno.readTextFile(s.path(A)));
});

Deno.test("a burst of 2,000 files is published completely, each file once", async () => {
  await using s = new Setting();
  await s.start({ settleMs: 50 });
  const names = Array.from({ length: 2_000 }, (_, i) => `https___a.example_n${i}.feed`);
  await Promise.all(names.map((name) => s.write(name, name)));
  await s.records.until(({ published }) => published.length >= names.length);
  const report = await (await s.restart()).scan();
  assert.deepEqual([report.files, report.published], [2_000, 0]);
  assert.equal(new Set(s.records.published.map(({ path }) => path)).size, 2_000);
  assert.equal(s.records.published.length, 2_000);
});

Deno.test("close() leaves a change that has not come to rest to the next start", async () => {
  await using s = new Setting();
  await s.start({ settleMs: 3_600_000 });
  await s.write(A, "one");
  await s.start();
  await s.records.untilNewest(A_URL, "one");
});
