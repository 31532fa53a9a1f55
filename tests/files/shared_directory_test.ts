import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { contentHash } from "../../lib/update.ts";
import { AHEAD, Scene, type Server } from "./servers.ts";

const URL = "https://example.com/feed.xml";
const NAME = feedFileName(URL);

const update = (content: string, metadata = {}) => ({ url: URL, content, metadata });

/** A server that mirrors and publishes, after v1 went out from its file. */
async function begin(s: Scene): Promise<void> {
  await using server = await s.server("web-1", { mirrors: true });
  await server.poll();
  await s.write(NAME, "v1");
  assert.equal((await server.scan()).published, 1);
}

Deno.test("what was saved while nothing ran, after another server published, is published", async () => {
  await using s = new Scene();
  await begin(s);
  await s.publish(update("v2"));
  await s.write(NAME, "v3");
  await using server = await s.server("web-1", { mirrors: true });
  await server.poll();
  assert.equal(await s.read(NAME), "v3");
  assert.equal((await server.scan()).published, 1);
  assert.ok(await s.isNewest(URL, "v3"));
  assert.deepEqual(await s.kept(), []);
});

Deno.test("what was saved and is older than what another server published is kept, and told", async () => {
  await using s = new Scene();
  await begin(s);
  for (const [i, saved] of ["mine", "mine, too"].entries()) {
    await s.write(NAME, saved);
    await s.publish(update(`theirs ${i}`), { ahead: AHEAD + i });
    await using server = await s.server("web-1", { mirrors: true });
    await server.poll();
    assert.equal(await s.read(NAME), `theirs ${i}`);
    assert.match(server.log.lines.join("\n"), /never published, and is kept as '.*feed\.kept-/);
    assert.equal((await server.scan()).published, 0);
  }
  assert.deepEqual((await s.kept()).sort(), ["mine", "mine, too"]);
  const feeds = (await s.names()).filter((name) => /\.feed(\.json)?$/.test(name));
  assert.deepEqual(feeds, [NAME, `${NAME}.json`]);
});

Deno.test("what was published from a file is replaced without a copy, also when it was put there anew", async () => {
  await using s = new Scene();
  await begin(s);
  await using server = await s.server("web-1", { mirrors: true });
  for (let i = 0; i < 3; i++) {
    await s.publish(update(`theirs ${i}`), { ahead: AHEAD * (i + 1) });
    await server.poll();
    assert.equal(await s.read(NAME), `theirs ${i}`);
  }
  assert.deepEqual(await s.kept(), []);
  assert.deepEqual(server.log.lines, []);
});

Deno.test("received content that somebody puts back is theirs, and not written over unseen", async () => {
  await using s = new Scene();
  await using server = await s.server("web-1", { mirrors: true });
  await s.publish(update("received"));
  await server.poll();
  await server.scan();
  await s.write(NAME, "mine");
  assert.equal((await server.scan()).published, 1);
  await s.write(NAME, "received");
  await s.publish(update("late"), { ahead: AHEAD });
  await server.poll();
  assert.equal(await s.read(NAME), "late");
  assert.deepEqual(await s.kept(), ["received"]);
});

Deno.test("processes with states of their own agree on a file", async () => {
  await using s = new Scene();
  await using files = await s.server("files");
  await using mirror = await s.server("mirror", { mirrors: true });
  await files.poll();
  await s.write(NAME, "v1");
  assert.equal((await files.scan()).published, 1);
  await mirror.poll();
  await s.publish(update("v2"));
  await s.write(NAME, "v3");
  await mirror.poll();
  assert.equal(await s.read(NAME), "v3");
  await files.poll();
  assert.equal((await files.scan()).published, 1);
  assert.ok(await s.isNewest(URL, "v3"));
  await mirror.poll();
  await s.publish(update("v4"), { ahead: AHEAD });
  await mirror.poll();
  assert.equal(await s.read(NAME), "v4");
  // It does not know of v4 yet.
  assert.equal((await files.scan()).published, 0);
  assert.deepEqual(await s.kept(), []);
});

Deno.test("a server made anew takes what was received for that, and what was saved for somebody's", async () => {
  await using s = new Scene();
  const urls = Array.from({ length: 20 }, (_, i) => `https://example.com/n${i}`);
  {
    await using server = await s.server("container-1", { mirrors: true });
    for (const url of [URL, ...urls]) await s.publish({ url, content: url });
    await server.poll();
  }
  await s.publish(update("newer"));
  for (const url of urls) await s.publish({ url, content: `${url} again` }, { ahead: AHEAD });
  await s.write(NAME, "saved");
  await using server = await s.server("container-2", { mirrors: true });
  await server.poll();
  assert.equal(await s.read(NAME), "saved");
  for (const url of urls) assert.equal(await s.read(feedFileName(url)), `${url} again`);
  assert.deepEqual(await s.kept(), []);
  assert.equal((await server.scan()).published, 1);
  assert.ok(await s.isNewest(URL, "saved"));
});

Deno.test("a server made anew never goes back to an older update of a feed", async () => {
  await using s = new Scene();
  await using server = await s.server("web-1", { mirrors: true });
  await s.publish(update("older"));
  await using late = await s.server("late", { ahead: AHEAD });
  await late.publish(update("newer"));
  await server.poll();
  await Deno.remove(`${s.root}/store/segments`, { recursive: true }).catch(() => {});
  await using anew = await s.server("web-2", { mirrors: true });
  await anew.poll();
  assert.equal(await s.read(NAME), "newer");
});

Deno.test("a removal leaves what was saved later, keeps what was saved before, and deletes the rest", async () => {
  await using s = new Scene();
  await begin(s);
  await using server = await s.server("web-1", { mirrors: true });
  await s.publish({ url: URL, removed: true });
  await s.write(NAME, "later");
  await server.poll();
  assert.equal(await s.read(NAME), "later");
  await s.publish({ url: URL, removed: true }, { ahead: AHEAD });
  await server.poll();
  assert.deepEqual(await s.kept(), ["later"]);
  await s.publish(update("back"), { ahead: 2 * AHEAD });
  await server.poll();
  await s.publish({ url: URL, removed: true }, { ahead: 3 * AHEAD });
  await server.poll();
  const names = (await s.names()).filter((name) => !name.includes(".kept-"));
  assert.deepEqual(names, []);
});

/** A file, and what 0.1 wrote beside it so many seconds before. */
async function writeAs0_1(s: Scene, seconds: number): Promise<void> {
  const written = new Date(Date.now() - 3_600_000), time = written.toISOString();
  await s.write(
    `${NAME}.json`,
    JSON.stringify({ url: URL, metadata: {}, id: "x", server: "a", time }, null, 2) + "\n",
  );
  await s.write(NAME, "from 0.1");
  await Deno.utime(join(s.directory, `${NAME}.json`), written, written);
  const saved = new Date(written.getTime() + seconds * 1000);
  await Deno.utime(join(s.directory, NAME), saved, saved);
}

Deno.test("what 0.1 wrote together with its .feed.json is not kept when it is replaced", async () => {
  for (const seconds of [0, 1]) {
    await using s = new Scene();
    await writeAs0_1(s, seconds);
    await s.publish(update("new"), { ahead: AHEAD });
    await using server = await s.server("web-1", { mirrors: true });
    await server.poll();
    assert.equal(await s.read(NAME), "new");
    assert.deepEqual(await s.kept(), []);
  }
});

Deno.test("other content beside a .feed.json of 0.1 is nobody's: it is kept, not published, not deleted", async () => {
  await using s = new Scene();
  await writeAs0_1(s, 60);
  await s.publish(update("new"), { ahead: AHEAD });
  await using server = await s.server("web-1", { mirrors: true });
  await server.poll();
  assert.equal(await s.read(NAME), "new");
  assert.deepEqual(await s.kept(), ["from 0.1"]);
});

Deno.test("a .feed.json that a person wrote is kept when it is replaced", async () => {
  await using s = new Scene();
  await using server = await s.server("web-1", { mirrors: true });
  await s.write("weather.feed.json", `{"url":"${URL}","metadata":{"mine":1}}`);
  await s.publish(update("one", { etag: "1" }));
  await server.poll();
  assert.equal(await s.read("weather.feed"), "one");
  assert.deepEqual(await s.kept(), [`{"url":"${URL}","metadata":{"mine":1}}`]);
  const changed = (await s.read("weather.feed.json")).replace('"etag": "1"', '"etag": "mine"');
  await s.write("weather.feed.json", changed);
  await s.publish(update("two", { etag: "2" }), { ahead: AHEAD });
  await server.poll();
  assert.equal((await s.kept()).length, 2);
  await s.publish(update("three", { etag: "3" }), { ahead: 2 * AHEAD });
  await server.poll();
  assert.equal((await s.kept()).length, 2);
});

Deno.test("metadata goes out with the content that it came with, and with no other", async () => {
  await using s = new Scene();
  await using server = await s.server("web-1", { mirrors: true });
  await s.publish(update("received", { etag: "1" }));
  await server.poll();
  await s.write(NAME, "mine");
  await server.scan();
  const { outbox } = server.connection.parts!.state;
  const last = () => {
    const [{ body }] = outbox.rows(outbox.lastRow(), outbox.lastRow());
    return JSON.parse(`{${body}}`);
  };
  assert.deepEqual(last(), { content: "mine", metadata: {} });
  await s.write(`${NAME}.json`, `{"url":"${URL}","metadata":{"mine":true}}`);
  await s.write(NAME, "mine again");
  await server.scan();
  assert.deepEqual(last(), { content: "mine again", metadata: { mine: true } });
  await s.publish(update("received again", { etag: "2" }), { ahead: AHEAD });
  await server.poll();
  const details = await s.read(`${NAME}.json`);
  await s.write(`${NAME}.json`, details.replace('"etag": "2"', '"etag": "mine"'));
  await s.write(NAME, "edited");
  await Deno.utime(s.path(NAME), new Date(), new Date(Date.now() + 2 * AHEAD));
  await server.scan();
  assert.deepEqual(last(), { content: "edited", metadata: { etag: "mine" } });
});

/** Has the mirror die right after it has written the `.feed.json`, before the file. */
async function dieBeforeTheFile(s: Scene, server: Server): Promise<void> {
  const { rename } = Deno;
  Deno.rename = (from, to) =>
    basename(String(to)) === NAME ? Promise.reject(new Error("killed")) : rename(from, to);
  try {
    await server.poll();
  } finally {
    Deno.rename = rename;
  }
  assert.match(await s.read(`${NAME}.json`), /"replaces"/);
}

Deno.test("a file that was about to be replaced when the mirror died is neither published nor left", async () => {
  for (const watching of ["web-1", "files"]) {
    await using s = new Scene();
    await using server = await s.server("web-1", { mirrors: true });
    await s.publish(update("v1"));
    await server.poll();
    await s.publish(update("v2"), { ahead: AHEAD });
    await dieBeforeTheFile(s, server);
    assert.equal(await s.read(NAME), "v1");
    await using files = watching === "web-1" ? server : await s.server(watching);
    assert.equal((await files.scan()).published, 0);
    assert.ok(await s.isNewest(URL, "v2"));
    assert.deepEqual(server.log.lines, []);
    await s.publish(update("v3"), { ahead: 2 * AHEAD });
    await server.poll();
    assert.equal(await s.read(NAME), "v3");
    assert.doesNotMatch(await s.read(`${NAME}.json`), /v1/);
    assert.deepEqual(await s.kept(), []);
  }
});

Deno.test("a file that is put back after it was gone does not win over a newer update", async () => {
  await using s = new Scene();
  await begin(s);
  await using server = await s.server("web-1");
  await Deno.remove(s.path(NAME));
  await s.write("https%3A%2F%2Fexample.com%2Fother.feed", "other");
  await server.scan();
  await s.write(NAME, "old");
  await s.publish(update("newer"), { ahead: AHEAD });
  await server.poll();
  assert.equal((await server.scan()).published, 0);
  assert.ok(await s.isNewest(URL, "newer"));
});

Deno.test("a file that came from a backup together with its .feed.json is left, and told", async () => {
  await using s = new Scene();
  await using server = await s.server("web-1", { mirrors: true });
  await s.publish(update("v1"));
  await server.poll();
  await server.scan();
  const backup = await Promise.all([NAME, `${NAME}.json`].map(async (name) => ({
    name,
    text: await s.read(name),
  })));
  await s.publish(update("v2"), { ahead: AHEAD });
  await server.poll();
  await server.scan();
  for (const { name, text } of backup) await s.write(name, text);
  assert.equal((await server.scan()).published, 0);
  assert.match(server.log.lines.join("\n"), /Not published, since newer updates/);
});

Deno.test("an update goes back to the file that the feed came from, whatever that is called", async () => {
  await using s = new Scene();
  const python = "https___example.com_feed.xml.feed";
  await using server = await s.server("web-1", { mirrors: true });
  await server.poll();
  await s.write(python, "v1");
  assert.equal((await server.scan()).published, 1);
  await s.publish(update("v2"), { ahead: AHEAD });
  await server.poll();
  assert.deepEqual(await s.names(), [python, `${python}.json`]);
  assert.equal(await s.read(python), "v2");
  await s.publish({ url: URL, removed: true }, { ahead: 2 * AHEAD });
  await server.poll();
  assert.deepEqual(await s.names(), []);
});

Deno.test("content that was left alone at a first start is kept when it is replaced", async () => {
  await using s = new Scene();
  await s.publish(update("newest"));
  await s.write(NAME, "last week's");
  await Deno.utime(s.path(NAME), 1_000, 1_000);
  await using server = await s.server("web-1", { mirrors: false });
  await server.poll();
  assert.equal((await server.scan()).published, 0);
  assert.match(server.log.lines.join("\n"), /Not published, since newer updates .*feed\.xml\.feed/);
  await server[Symbol.asyncDispose]();
  await s.publish(update("newer still"), { ahead: AHEAD });
  await using again = await s.server("web-1", { mirrors: true });
  await again.poll();
  assert.equal(await s.read(NAME), "newer still");
  assert.deepEqual(await s.kept(), ["last week's"]);
  assert.equal(contentHash(await s.read(NAME)), contentHash("newer still"));
});

Deno.test("files that were received from another bucket are told, and published when a person says so", async () => {
  await using s = new Scene();
  {
    await using server = await s.server("web-1", { mirrors: true });
    await s.publish(update("v1"));
    await server.poll();
  }
  await Deno.remove(`${s.root}/store`, { recursive: true });
  await using server = await s.server("web-2");
  await server.poll();
  assert.equal((await server.scan()).published, 0);
  assert.match(server.log.lines.join("\n"), /Not published: 1 feed files .*--publish-received/);
  await server[Symbol.asyncDispose]();
  await using again = await s.server("web-2", { publishReceived: true });
  assert.equal((await again.scan()).published, 1);
  assert.ok(await s.isNewest(URL, "v1"));
});

Deno.test("a feed that comes back has the name again that a person gave it", async () => {
  await using s = new Scene();
  await using server = await s.server("web-1", { mirrors: true });
  await s.write("news.feed.json", `{"url":"${URL}"}`);
  for (const [i, content] of ["one", "two"].entries()) {
    await s.publish(update(content), { ahead: 2 * i * AHEAD });
    await server.poll();
    assert.equal(await s.read("news.feed"), content);
    await s.publish({ url: URL, removed: true }, { ahead: (2 * i + 1) * AHEAD });
    await server.poll();
    assert.deepEqual(await s.names(), ["news.feed.json"]);
  }
});
