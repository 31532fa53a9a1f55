import assert from "node:assert/strict";
import { feedsync, workspace } from "./feedsync.ts";

Deno.test("feeds lists what was published, by time and server, as lines or NDJSON", async () => {
  const config = (server: string) =>
    JSON.stringify({ store: "file:store", logLevel: "warn", server, state: `${server}.db` });
  await using home = await workspace({
    "web-1.json": config("web-1"),
    "web-2.json": config("web-2"),
  });
  const run = (server: string, args: string[], stdin?: string) =>
    feedsync([...args, "--config", `${server}.json`], { cwd: home.path, stdin });
  const url = "https://me:secret@example.com/";
  await run("web-1", ["publish", `${url}a`], "<rss/>");
  await run("web-2", ["publish", `${url}b`], "<rss/>");
  await run("web-2", ["publish", `${url}c`, "--remove"]);

  const all = await run("web-2", ["feeds"]);
  assert.equal(all.code, 0, all.stderr);
  const lines = all.stdout.trimEnd().split("\n");
  assert.equal(lines.length, 3);
  assert.match(
    lines[0],
    /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}web-1 +- {2}https:\/\/me:…@example\.com\/a$/,
  );
  assert.match(lines[2], / {2}web-2 +removed {2}https:\/\/me:…@example\.com\/c$/);

  const [feed, ...others] = (await run("web-1", ["feeds", "--by", "web-1", "--json"])).json();
  assert.deepEqual(Object.keys(feed).sort(), ["removed", "server", "time", "url"]);
  assert.deepEqual([feed.url, feed.server, feed.removed, others], [`${url}a`, "web-1", false, []]);
  assert.equal((await run("web-1", ["feeds", "--since", "1h", "--json"])).json().length, 3);
  assert.equal((await run("web-1", ["feeds", "--since", "0ms", "--json"])).json().length, 0);
  const wrong = await run("web-1", ["feeds", "--since", "yesterday"]);
  assert.equal(wrong.code, 64);
  assert.match(wrong.stderr, /^error: Cannot use --since: /);
});
