import assert from "node:assert/strict";
import { StoreUnavailableError } from "../../lib/errors.ts";
import { feedFileName } from "../../lib/files/feed_names.ts";
import type { ObjectStore } from "../../lib/stores/store.ts";
import { fastEnvironment, Setting } from "./setting.ts";
import { Scene } from "./servers.ts";

const URL = "https://example.com/feed.xml";
const NAME = feedFileName(URL);
const A = "https___a.example_.feed", A_URL = "https://a.example/";

/** A store whose objects cannot be read, or not even be listed, until it is mended. */
function broken(failing: "list" | "get") {
  let isBroken = true;
  const through = (store: ObjectStore) =>
    new Proxy(store, {
      get(target, key) {
        if (isBroken && key === failing) {
          throw new StoreUnavailableError("Cannot reach the store");
        }
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  return { through, mend: () => void (isBroken = false) };
}

for (const failing of ["list", "get"] as const) {
  for (const [how, polls] of [["that watches", true], ["that only publishes", false]] as const) {
    Deno.test(`a new state ${how} publishes no files while ${failing} fails, and only newer ones then`, async () => {
      await using s = new Scene();
      await s.publish({ url: URL, content: "newest" });
      await s.write(NAME, "last week's");
      await Deno.utime(s.path(NAME), 1_000, 1_000);
      const store = broken(failing);
      await using server = await s.server("web-1", { through: store.through, watches: polls });
      for (let i = 0; i < 2; i++) {
        if (polls) await server.poll().catch(() => {});
        const report = await server.files.scan();
        assert.deepEqual([report.published, report.failed], [0, [s.directory]]);
      }
      assert.equal(server.log.lines.length, 1, server.log.lines.join("\n"));
      assert.match(server.log.lines[0], /what others have published is not known yet/);
      const byHand = server.publish({ url: "https://example.com/by-hand", content: "x" });

      store.mend();
      await byHand;
      if (polls) await server.poll();
      assert.equal((await server.scan()).published, 0);
      assert.ok(await s.isNewest(URL, "newest"));
      await s.write(NAME, "edited");
      assert.equal((await server.scan()).published, 1);
      assert.ok(await s.isNewest(URL, "edited"));
    });
  }
}

for (const [how, polls] of [["that watches", true], ["that only publishes", false]] as const) {
  Deno.test(`a new state ${how} publishes no files while an object that is listed cannot be read`, async () => {
    await using s = new Scene();
    await s.publish({ url: URL, content: "newest" });
    const [object] = await s.objects();
    const bytes = await Deno.readFile(object);
    await s.write(NAME, "last week's");
    await Deno.utime(s.path(NAME), 1_000, 1_000);
    for (
      const damage of [() => Deno.writeTextFile(object, "garbage"), () => Deno.truncate(object)]
    ) {
      await damage();
      await using server = await s.server("web-1", { watches: polls });
      if (polls) await server.poll().catch(() => {});
      const report = await server.files.scan();
      assert.deepEqual([report.published, report.failed], [0, [s.directory]]);
    }
    await Deno.writeFile(object, bytes);
    await using server = await s.server("web-1", { watches: polls });
    if (polls) await server.poll();
    assert.equal((await server.scan()).published, 0);
    assert.ok(await s.isNewest(URL, "newest"));
  });
}

for (const [how, polls] of [["that watches", true], ["that only publishes", false]] as const) {
  Deno.test(`a new state ${how} publishes no file that is older than what is kept for good`, async () => {
    await using s = new Scene();
    await s.publish({ url: URL, content: "newest" });
    await s.expire();
    await s.write(NAME, "last year's");
    await Deno.utime(s.path(NAME), 1_000, 1_000);
    await using server = await s.server("web-1", { watches: polls });
    if (polls) {
      assert.equal((await server.files.scan()).published, 0);
      await server.poll();
    }
    assert.equal((await server.scan()).published, 0);
    assert.ok(await s.isNewest(URL, "newest"));
    await s.write(NAME, "edited");
    assert.equal((await server.scan()).published, 1);
  });
}

Deno.test("files that change while it is not known what others have published are found afterwards", async () => {
  await using s = new Setting();
  let isRestored = false;
  await s.start({
    environment: fastEnvironment({ speed: 50 }),
    settleMs: 1_000,
    isRestored: () => Promise.resolve(isRestored),
  });
  await s.write(A, "one");
  await s.log.until("wait until it is known");
  assert.deepEqual(s.records.published, []);
  isRestored = true;
  await s.records.untilNewest(A_URL, "one");
});

Deno.test("old files found at the first start are told in one line, however many", async () => {
  await using s = new Setting();
  for (let i = 0; i < 8; i++) {
    await s.write(`https___a.example_n${i}.feed`, "old");
    await Deno.utime(s.path(`https___a.example_n${i}.feed`), 1_000, 1_000);
    s.records.receive(`https://a.example/n${i}`, "newer");
  }
  const watcher = await s.restart();
  assert.equal((await watcher.scan()).published, 0);
  assert.equal((await watcher.scan()).published, 0);
  await s.log.until("Not published, since newer updates");
  assert.equal(s.log.lines.length, 1);
  assert.match(s.log.lines[0], /n0\.feed'.* and 3 more/);
});

Deno.test("a file with an old time is published when it is new, but for the first start", async () => {
  await using s = new Setting();
  const watcher = await s.restart();
  await watcher.scan();
  s.records.receive(A_URL, "known", Date.now() - 60_000);
  // As mv, tar and rsync bring files.
  await Deno.writeTextFile(`${s.root}/file`, "brought");
  await Deno.utime(`${s.root}/file`, 1_000, 1_000);
  await Deno.rename(`${s.root}/file`, s.path(A));
  assert.equal((await watcher.scan()).published, 1);
  await Deno.writeTextFile(`${s.root}/file`, "again");
  await Deno.utime(`${s.root}/file`, 1_000, 1_000);
  await Deno.rename(`${s.root}/file`, s.path(A));
  assert.equal((await watcher.scan()).published, 1);
});

Deno.test("what was left alone is published once it is saved again", async () => {
  await using s = new Setting();
  s.records.receive(A_URL, "newer", Date.now() - 60_000);
  await s.write(A, "old");
  await Deno.utime(s.path(A), 1_000, 1_000);
  const watcher = await s.restart();
  assert.equal((await watcher.scan()).published, 0);
  await s.write(A, "old");
  assert.equal((await watcher.scan()).published, 1);
});

Deno.test("what is published while the disk of the store is away waits until it is back", async () => {
  await using s = new Scene();
  await s.publish({ url: URL, content: "v1" });
  const store = `${s.root}/store`;
  await Deno.rename(store, `${s.root}/disk`);
  await Deno.mkdir(store);
  {
    await using server = await s.server("elsewhere");
    await assert.rejects(server.poll(), StoreUnavailableError);
    server.publish({ url: URL, content: "v2" }).catch(() => {});
  }
  assert.deepEqual(await Array.fromAsync(Deno.readDir(store)), []);
  await Deno.remove(store);
  await Deno.rename(`${s.root}/disk`, store);
  await s.publish({ url: "https://example.com/other", content: "x" });
  assert.ok(await s.isNewest(URL, "v2"));
});
