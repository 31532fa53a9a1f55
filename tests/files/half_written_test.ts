import assert from "node:assert/strict";
import { fastEnvironment, Setting } from "./setting.ts";

const A = "https___a.example_.feed", A_URL = "https://a.example/";
const B = "https%3A%2F%2Fb.example%2F.feed", B_URL = "https://b.example/";

Deno.test("a feed whose writer pauses is published when it is whole", async () => {
  await using s = new Setting();
  const watcher = await s.start();
  await s.write(A, "<rss><channel>");
  await s.write(B, '{"items":[');
  await s.write("https___c.example_.feed", "<rss/>");
  const scan = watcher.scan();
  await s.records.untilNewest("https://c.example/", "<rss/>");
  await s.write(A, "<rss><channel></channel></rss>");
  await s.write(B, '{"items":[]}');
  await scan;
  assert.deepEqual(s.records.published.map(({ content }) => content).sort(), [
    "<rss/>",
    "<rss><channel></channel></rss>",
    '{"items":[]}',
  ]);
  assert.deepEqual(s.log.lines, []);
});

Deno.test("a feed that stays half-written is published after ten seconds, and told", async () => {
  await using s = new Setting();
  await s.write(A, "<rss><channel>");
  const watcher = await s.restart({
    environment: fastEnvironment({ speed: 100 }),
    settleMs: 1_000,
  });
  const begin = performance.now();
  assert.equal((await watcher.scan()).published, 1);
  assert.ok(performance.now() - begin >= 100);
  assert.equal(s.log.lines.length, 1);
  assert.match(s.log.lines[0], /seems to be half-written .*10 s.*rename/);
  assert.equal((await watcher.scan()).published, 0);
  assert.ok(s.records.urls.has(A_URL));
  assert.ok(!s.records.urls.has(B_URL));
});

Deno.test("copies of feed files are told, and not published, unless a .feed.json names their feed", async () => {
  await using s = new Setting();
  const names = [
    "https%3A%2F%2Fb.example%2F (1).feed",
    "https%3A%2F%2Fb.example%2F - Copy.feed",
    "https%3A%2F%2Fb.example%2Fx.sync-conflict-20260102-030405-ABCDEFG.feed",
    "https___b.example_x (1).feed",
    "https___b.example_my_feed.xml.feed",
    "http___localhost_8080.feed",
  ];
  for (const name of names) await s.write(name, name);
  const watcher = await s.restart();
  const report = await watcher.scan();
  assert.deepEqual([report.published, report.failed.length], [0, names.length]);
  assert.equal(s.log.lines.length, names.length);
  for (const line of s.log.lines) assert.match(line, /name its URL in '.*\.feed\.json'/);
  await s.write(`${names[0]}.json`, `\ufeff${JSON.stringify({ url: "https://b.example/1" })}`);
  assert.equal((await watcher.scan()).published, 1);
  assert.ok(s.records.urls.has("https://b.example/1"));
});
