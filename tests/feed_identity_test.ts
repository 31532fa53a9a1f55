/** One feed has one URL, wherever an update comes from. */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { connect } from "../lib/connect.ts";
import { systemEnvironment } from "../lib/base/environment.ts";
import type { RunningPlugin } from "../lib/plugin.ts";
import { publish, type PublishedReceipt } from "../lib/publish.ts";
import { State } from "../lib/state/state.ts";
import { contentHash } from "../lib/update.ts";
import { watchWith } from "../lib/watch.ts";
import { watchFiles } from "../lib/watch_files.ts";
import { workspace } from "./cli/feedsync.ts";
import { Fleet } from "./fixture.ts";
import { makeOldState } from "./state/state_0_1.ts";

const FEED = "https://example.com/feed";
const SPELLINGS = ["HTTPS://Example.com:443/feed", "feed:https://example.com/feed#top", FEED];

Deno.test("publish() stores every spelling under one URL, and the receipt shows it", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  for (const [index, url] of SPELLINGS.entries()) {
    const receipt = await fleet.time.run(
      publish(web1, { url, content: "v1" }, { ifChanged: true }),
    );
    assert.deepEqual([receipt.status, receipt.url], [
      index === 0 ? "published" : "unchanged",
      FEED,
    ]);
  }
  const [key] = fleet.keys();
  assert.deepEqual(fleet.read(key).map(({ url }) => url), [FEED]);
});

Deno.test("publish() gives spellings of one URL increasing times", async () => {
  await using fleet = new Fleet();
  const receipts = await fleet.time.run(
    publish(fleet.server("web-1"), SPELLINGS.map((url) => ({ url, content: url }))),
  );
  const times = receipts.map((receipt) => (receipt as PublishedReceipt).time);
  assert.equal(new Set(times).size, SPELLINGS.length);
});

Deno.test("publish() accepts the schemes that are configured, and no others", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1", { urlSchemes: ["https", "gemini"] });
  const receipt = await fleet.time.run(
    publish(web1, { url: "GEMINI://example.com/", content: "x" }),
  );
  assert.equal(receipt.url, "gemini://example.com/");
  await assert.rejects(publish(web1, { url: "http://example.com/", content: "x" }), {
    name: "InvalidUpdateError",
    message: /its scheme must be https or gemini, not http/,
  });
});

/** What servers of version 0.1 published, which took URLs as they were written. */
const OLD_URLS = [
  "HTTPS://Example.com:443/feed",
  " https://example.com/feed ",
  "ftp://example.com/feed",
  "https://example.com/a\tb",
  "urn:isbn:1",
];

Deno.test("what older servers published is delivered as it is, whatever its URL", async () => {
  await using fleet = new Fleet();
  const stream = "web-1_aaaaaaaa", last = OLD_URLS.length;
  await fleet.forge(
    { kind: "tail", stream, first: 1, last },
    (seq) => `v${seq}`,
    (seq) => OLD_URLS[seq - 1],
  );
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.updates.map(({ url }) => url), OLD_URLS);
  assert.ok(received.updates.every(({ superseded }) => !superseded));
});

Deno.test("an older update is superseded although an older server wrote its URL otherwise", async () => {
  await using fleet = new Fleet();
  const stream = "web-1_aaaaaaaa";
  await fleet.forge(
    { kind: "tail", stream, first: 1, last: 1 },
    () => "old",
    () => "HTTPS://Example.com:443/feed",
  );
  await fleet.time.pass(1000);
  const web2 = fleet.server("web-2");
  await fleet.time.run(publish(web2, { url: FEED, content: "new" }));
  await using received = fleet.watch(web2);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(
    received.updates.map(({ content, superseded }) => [content, superseded]),
    [["old", true]],
  );
});

Deno.test("calls for two spellings of one URL never run at the same time", async () => {
  await using fleet = new Fleet();
  for (const [index, letter] of ["a", "b"].entries()) {
    await fleet.forge(
      { kind: "tail", stream: `web-1_${letter.repeat(8)}`, first: 1, last: 1 },
      () => letter,
      () => SPELLINGS[index],
    );
  }
  let running = 0, most = 0;
  const plugin: RunningPlugin = {
    name: "slow",
    async onUpdate() {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => fleet.time.clock.setTimer(100, resolve));
      running--;
    },
    onGap: () => {},
    close: () => Promise.resolve(),
  };
  await using watcher = watchWith(fleet.server("web-2"), [plugin], { manual: true });
  const { applied } = await fleet.time.run(watcher.poll());
  assert.deepEqual([applied, most], [2, 1]);
});

Deno.test("a state of 0.1 is taken over: its URLs are looked up by their one form", async () => {
  const path = await Deno.makeTempFile({ suffix: ".db" });
  await using fleet = new Fleet();
  makeOldState(path, (db) => {
    const note = db.prepare("INSERT INTO newest VALUES (?, ?, ?, ?)");
    note.run("HTTPS://Example.com:443/feed", 1000, "b", contentHash("v2"));
    note.run(FEED, 500, "a", contentHash("v1"));
    note.run("https://example.com/other#x", 700, "c", contentHash("o1"));
    note.run(" https://example.com/spaces", 800, "d", contentHash("s1"));
  });
  try {
    using state = new State(path, { server: "web-1", store: fleet.store.url }, fleet.time.random);
    assert.equal(state.newest.get(FEED)?.hash, contentHash("v2"));
    assert.equal(state.newest.get("https://example.com/other")?.hash, contentHash("o1"));
    assert.equal(state.newest.get(" https://example.com/spaces")?.hash, contentHash("s1"));
    assert.ok(state.newest.supersedes("HTTPS://EXAMPLE.com/feed", 999, "z"));
    // The program before finds what it knew.
    using db = new DatabaseSync(path, { readOnly: true });
    const { count } = db.prepare("SELECT count(*) AS count FROM newest").get()!;
    assert.equal(count, 5);
  } finally {
    await Deno.remove(path);
  }
});

/** Scans a directory with these files, by a server that knows `known`. */
async function scan(files: Record<string, string>, known: Record<string, string> = {}) {
  await using home = await workspace();
  const feeds = join(home.path, "feeds");
  await Deno.mkdir(feeds);
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(feeds, name), text);
  }
  const config = { server: "web-2", store: `file:${join(home.path, "store")}` };
  const path = join(home.path, "web-2.db");
  await using sync = await connect({ ...config, state: path });
  using state = new State(path, config, systemEnvironment.random);
  for (const [index, [url, content]] of Object.entries(known).entries()) {
    const version = { time: index + 1, id: `${index}`, hash: contentHash(content) };
    state.transaction(() => state.newest.note(url, version));
  }
  await using watcher = watchFiles(sync, feeds, { manual: true, settle: 1 });
  const { published, failed } = await watcher.scan();
  return { published, failed: failed.map((path) => basename(path)).sort() };
}

Deno.test("what an older mirror wrote in a shared directory is not published again", async () => {
  const known = Object.fromEntries(OLD_URLS.map((url, index) => [url, `v${index}`]));
  const files = Object.fromEntries(OLD_URLS.flatMap((url, index) => {
    const name = `${encodeURIComponent(url)}.feed`;
    return [[name, `v${index}`], [`${name}.json`, JSON.stringify({ url, metadata: {} })]];
  }));
  assert.deepEqual(await scan(files, known), { published: 0, failed: [] });
});

Deno.test("files are held to the same rule as all that is published", async () => {
  const files = {
    "HTTPS%3A%2F%2FExample.com%2Ffeed.feed": "good",
    "spaces.feed": "x",
    "spaces.feed.json": '{"url":" https://example.com/spaces"}',
    "scheme.feed": "x",
    "scheme.feed.json": '{"url":"ftp://example.com/"}',
    "tab.feed": "x",
    "tab.feed.json": '{"url":"https://example.com/\\tx"}',
  };
  const refused = ["scheme.feed", "spaces.feed", "tab.feed"];
  assert.deepEqual(await scan(files), { published: 1, failed: refused });
  assert.deepEqual(await scan(files, { [FEED]: "good" }), { published: 0, failed: refused });
});
