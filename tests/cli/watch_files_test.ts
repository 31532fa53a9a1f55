import assert from "node:assert/strict";
import { feedsync, workspace } from "./feedsync.ts";

const URL = "https://example.com/feed.xml";
const NAME = "https%3A%2F%2Fexample.com%2Ffeed.xml.feed";

const CONFIG = JSON.stringify({
  files: { directory: "feeds", settle: "20ms", publishRemovals: true },
  plugins: [["mirror", { directory: "feeds" }]],
});

Deno.test("watch --once neither loses what was saved before it, nor publishes what it received", async () => {
  await using home = await workspace({ "feedsync.json": CONFIG });
  const cwd = home.path;
  const watch = ["watch", "--once", "--server", "web-1"];
  const publish = ["publish", URL, "-", "--server", "web-2"];
  await Deno.mkdir(`${cwd}/feeds`);
  await Deno.writeTextFile(`${cwd}/feeds/${NAME}`, "v1");
  assert.equal((await feedsync(watch, { cwd })).code, 0);
  await feedsync(publish, { cwd, stdin: "v2" });
  await Deno.writeTextFile(`${cwd}/feeds/${NAME}`, "v3");
  const { code, stderr } = await feedsync(watch, { cwd });
  assert.equal(code, 0, stderr);
  assert.equal(await Deno.readTextFile(`${cwd}/feeds/${NAME}`), "v3");
  const tail = await feedsync(["tail", "--once", "--json", "--server", "web-3"], { cwd });
  const contents = tail.json().map(({ content }) => content);
  assert.deepEqual(contents.toSorted(), ["v1", "v2", "v3"]);
});

Deno.test("watch --once ends with 65 when a directory is missing, or a file cannot be published", async () => {
  await using home = await workspace({
    "feedsync.json": CONFIG.replace(/"plugins".*]]/, '"plugins":[]'),
  });
  const cwd = home.path;
  const watch = ["watch", "--once", "--server", "web-1"];
  const missing = await feedsync(watch, { cwd });
  assert.equal(missing.code, 65, missing.stderr);
  assert.match(missing.stderr, /There is no feed directory '.*feeds'/);
  assert.match(
    missing.stderr,
    /^error: Cannot publish all feed files, see the log for reasons: .*feeds$/m,
  );
  await Deno.mkdir(`${cwd}/feeds`);
  await Deno.writeTextFile(`${cwd}/feeds/${NAME}`, "fine");
  await Deno.writeTextFile(`${cwd}/feeds/notes.feed`, "x");
  const unreadable = await feedsync(watch, { cwd });
  assert.equal(unreadable.code, 65, unreadable.stderr);
  assert.match(unreadable.stderr, /see the log for reasons: .*notes\.feed$/m);
  await Deno.remove(`${cwd}/feeds/notes.feed`);
  assert.equal((await feedsync(watch, { cwd })).code, 0);
});

Deno.test("feeds whose files are all gone are removed when a person says so", async () => {
  await using home = await workspace({ "feedsync.json": CONFIG });
  const cwd = home.path;
  const watch = ["watch", "--once", "--server", "web-1"];
  await Deno.mkdir(`${cwd}/feeds`);
  for (let i = 0; i < 6; i++) {
    await Deno.writeTextFile(`${cwd}/feeds/https___example.com_n${i}.feed`, "x");
  }
  await feedsync(watch, { cwd });
  for (let i = 1; i < 6; i++) await Deno.remove(`${cwd}/feeds/https___example.com_n${i}.feed`);
  const kept = await feedsync(watch, { cwd });
  assert.equal(kept.code, 65, kept.stderr);
  assert.match(kept.stderr, /5 of 6 feed files in .* --remove-missing/);
  const removed = await feedsync([...watch, "--remove-missing"], { cwd });
  assert.equal(removed.stderr.match(/is gone: published that its feed/g)?.length, 5);
  const tail = await feedsync(["tail", "--once", "--json", "--server", "web-2"], { cwd });
  assert.equal(tail.json().filter(({ removed }) => removed).length, 5);
});

Deno.test("watch --once --remove-missing removes the feeds of a directory that is empty", async () => {
  await using home = await workspace({ "feedsync.json": CONFIG });
  const cwd = home.path;
  const watch = ["watch", "--once", "--server", "web-1"];
  await Deno.mkdir(`${cwd}/feeds`);
  await Deno.writeTextFile(`${cwd}/feeds/${NAME}`, "x");
  await feedsync(watch, { cwd });
  await Deno.remove(`${cwd}/feeds/${NAME}`);
  const kept = await feedsync(watch, { cwd });
  assert.equal(kept.code, 65, kept.stderr);
  assert.match(kept.stderr, /is empty, and 1 files were seen in it/);
  const removed = await feedsync([...watch, "--remove-missing"], { cwd });
  assert.equal(removed.code, 0, removed.stderr);
  assert.match(removed.stderr, /is gone: published that its feed is removed/);
});
