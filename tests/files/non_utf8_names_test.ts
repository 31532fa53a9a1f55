import assert from "node:assert/strict";
import { fastEnvironment, Setting } from "./setting.ts";

/** Other systems refuse such names. */
const ignore = Deno.build.os !== "linux";
if (ignore) console.warn("Only Linux has file names that are not UTF-8: their tests are left out");

const URL_PART = "https%3A%2F%2Fa.example%2F";

Deno.test({
  name: "files with names that are not UTF-8 are published, bytes unchanged, and removed",
  ignore,
  async fn() {
    await using s = new Setting();
    // In printf, %% is one %; the names end in the bytes E9, E8, and a true U+FFFD.
    await s.shell(`cd feeds
      printf 'one\\351' > "$(printf 'https___a.example_caf\\351.feed')"
      printf 'two' > "$(printf '${URL_PART.replaceAll("%", "%%")}caf\\350.feed')"
      printf '{"url":"https://b.example/"}' > "$(printf 'x\\377.feed.json')"
      printf 'three' > "$(printf 'x\\377.feed')"`);
    await s.write("https___a.example_\ufffd.feed", "four");
    const watcher = await s.restart({ publishRemovals: true });
    const report = await watcher.scan();
    assert.deepEqual(report, {
      files: 4,
      published: 4,
      removed: 0,
      failed: [],
      unsettled: [],
      withheld: [],
    });
    const published = new Map(s.records.published.map(({ url, content }) => [url, content]));
    assert.deepEqual(
      published,
      new Map<string, unknown>([
        ["https://a.example/caf%E9", new Uint8Array([0x6f, 0x6e, 0x65, 0xe9])],
        ["https://a.example/caf%E8", "two"],
        ["https://b.example/", "three"],
        ["https://a.example/%EF%BF%BD", "four"],
      ]),
    );
    assert.equal((await (await s.restart({ publishRemovals: true })).scan()).published, 0);

    const again = await s.restart({ publishRemovals: true });
    await again.scan();
    await s.shell(`cd feeds
      printf 'changed' > "$(printf 'x\\377.feed')"
      rm "$(printf 'https___a.example_caf\\351.feed')"`);
    const last = await again.scan();
    assert.deepEqual([last.published, last.removed, last.failed], [1, 1, []]);
    assert.equal(s.records.urls.get("https://a.example/caf%E9")?.hash, null);
    assert.deepEqual(s.log.lines.filter((line) => !line.includes("is gone: published")), []);
  },
});

Deno.test({
  name: "a name that is not UTF-8 does not stop the watcher",
  ignore,
  async fn() {
    await using s = new Setting();
    await s.start({
      environment: fastEnvironment({ speed: 20 }),
      settleMs: 400,
      rescanMs: 3_600_000,
    });
    for (const content of ["one", "two"]) {
      await s.shell(`printf ${content} > "$(printf 'feeds/https___a.example_\\351.feed')"`);
      await s.records.untilNewest("https://a.example/%E9", content);
      await s.write("https___b.example_.feed", content);
      await s.records.untilNewest("https://b.example/", content);
    }
  },
});

const prepared: Setting[] = [];

Deno.test.beforeAll(async () => {
  if (ignore) return;
  const s = new Setting();
  await s.shell(`printf one > "$(printf 'feeds/https___a.example_caf\\351.feed')"`);
  prepared.push(s);
});

Deno.test.afterAll(async () => {
  for (const s of prepared.splice(0)) await s[Symbol.asyncDispose]();
});

Deno.test({
  name: "where no program may be run all other files are published, and one warning tells",
  ignore,
  permissions: { read: true, write: true, env: true, run: false },
  async fn() {
    const [s] = prepared;
    s.records.note(s.path("https___a.example_caf\ufffdE9.feed"), {
      url: "https://a.example/caf%E9",
      hash: "seen",
    });
    await s.write("https___b.example_.feed", "two");
    const watcher = await s.restart({ publishRemovals: true });
    const report = await watcher.scan();
    assert.deepEqual([report.published, report.removed], [1, 0]);
    await watcher.scan();
    assert.equal(s.log.lines.length, 1);
    assert.match(s.log.lines[0], /whose names are not UTF-8/);
  },
});
