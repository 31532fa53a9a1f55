import assert from "node:assert/strict";
import { join } from "node:path";
import { RejectedUpdateError } from "../../lib/errors.ts";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { contentBytes } from "../../lib/update.ts";
import mirror from "../../plugins/mirror.ts";
import { makeRemoval, makeUpdate, start, temporaryDirectory } from "./harness.ts";

const NAME = "https%3A%2F%2Fexample.com%2Ffeed.xml.feed";

/** After all files that a test has made by now. */
function later(): string {
  return new Date(Date.now() + 60_000).toISOString();
}

async function names(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name)).sort();
}

Deno.test("mirror writes the feed, and beside it what is known about it", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "deep/feeds" }, home.path);
  const update = makeUpdate({ content: "<rss>é</rss>", metadata: { status: "success" } });
  await plugin.update(update);

  const feeds = join(home.path, "deep/feeds");
  assert.deepEqual(await names(feeds), [NAME, `${NAME}.json`]);
  assert.equal(await Deno.readTextFile(join(feeds, NAME)), "<rss>é</rss>");
  assert.deepEqual(JSON.parse(await Deno.readTextFile(join(feeds, `${NAME}.json`))), {
    url: "https://example.com/feed.xml",
    metadata: { status: "success" },
    id: update.id,
    server: "web-1",
    time: "2026-01-02T03:04:05.678Z",
    sha256: "f2dd11061a564b204e12522e382d22b895302a2e368a9ca490f096eb48945032",
    seal: "93c403af1700a7a8",
  });
});

Deno.test("mirror rewrites nothing when an update that is in the directory is restored", async () => {
  await using home = await temporaryDirectory();
  const id = crypto.randomUUID(), update = makeUpdate({ content: "v2", id, time: later() });
  {
    await using plugin = await start(mirror, { directory: "." }, home.path);
    await plugin.update(makeUpdate({ content: "v1" }));
    await plugin.update(update);
  }
  const inodes = () =>
    Promise.all(
      [NAME, `${NAME}.json`].map(async (name) => (await Deno.stat(join(home.path, name))).ino),
    );
  const before = await inodes();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  await plugin.update({ ...update, restored: true });
  assert.deepEqual(await inodes(), before);
  await plugin.update(makeUpdate({ content: "v1", restored: true }));
  assert.deepEqual(await inodes(), before);
});

Deno.test("mirror writes bytes, text and parsed content as contentBytes() gives them", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  const contents = [
    new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0x0a]),
    new Uint8Array(),
    "",
    "\ufeffno newline at the end",
    { title: "News", items: [1, null, "é"] },
    null,
    "x".repeat(3_000_000),
  ];
  for (const content of contents) {
    const update = makeUpdate({ content });
    await plugin.update(update);
    const written = await Deno.readFile(join(home.path, NAME));
    assert.deepEqual(written, new Uint8Array(contentBytes(update)!));
  }
  assert.deepEqual(await names(home.path), [NAME, `${NAME}.json`]);
});

Deno.test("mirror leaves a newer file alone when an older update arrives", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  await plugin.update(makeUpdate({ content: "new" }));
  await plugin.update(makeUpdate({ content: "old", superseded: true }));
  await plugin.update(makeRemoval({ superseded: true }));
  assert.equal(await Deno.readTextFile(join(home.path, NAME)), "new");
  assert.deepEqual(await names(home.path), [NAME, `${NAME}.json`]);
});

Deno.test("mirror deletes both files when the feed is removed, however often it is told", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  await plugin.update(makeUpdate({ url: "https://example.com/other" }));
  await plugin.update(makeUpdate());
  await plugin.update(makeRemoval());
  await plugin.update(makeRemoval());
  const other = feedFileName("https://example.com/other");
  assert.deepEqual(await names(home.path), [other, `${other}.json`]);
});

Deno.test("mirror writes the .feed.json before the .feed, and deletes it after", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  await Deno.mkdir(join(home.path, NAME, "in the way"), { recursive: true });
  await assert.rejects(plugin.update(makeUpdate()), { message: new RegExp(NAME) });
  assert.deepEqual(await names(home.path), [NAME, `${NAME}.json`]);
  await assert.rejects(plugin.update(makeRemoval()), { message: new RegExp(NAME) });
  assert.deepEqual(await names(home.path), [NAME, `${NAME}.json`]);
});

Deno.test("mirror stays inside its directory whatever the URL", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "a/b/feeds" }, home.path);
  const urls = [
    "https://x/../../etc/passwd",
    "https://x/..%2f..%2fetc",
    "file:///etc/passwd",
    "file:..\\..\\x",
    "https://x/\0.feed",
    "https://x/" + "../".repeat(2_000),
    "https://x/" + "a".repeat(5_000),
    "https://x/" + "é".repeat(5_000),
    "urn:..:..",
  ];
  for (const url of urls) await plugin.update(makeUpdate({ url, content: url }));
  assert.deepEqual(await names(home.path), ["a"]);
  assert.deepEqual(await names(join(home.path, "a/b")), ["feeds"]);
  const feeds = join(home.path, "a/b/feeds");
  for (const url of urls) {
    const path = join(feeds, feedFileName(url));
    assert.equal(await Deno.readTextFile(path), url);
    assert.equal(JSON.parse(await Deno.readTextFile(`${path}.json`)).url, url);
  }
  assert.equal((await names(feeds)).length, 2 * urls.length);
});

Deno.test("mirror rejects an update whose URL is none", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "feeds" }, home.path);
  for (const url of ["", ".", "..", "../../etc/passwd", "\0", "/etc/passwd", "https://x/\ud800"]) {
    await assert.rejects(plugin.update(makeUpdate({ url })), RejectedUpdateError);
    await assert.rejects(plugin.update(makeRemoval({ url })), RejectedUpdateError);
  }
  assert.deepEqual(await names(join(home.path, "feeds")), []);
});

Deno.test("mirror replaces a symbolic link, and leaves what it leads to", async () => {
  await using home = await temporaryDirectory();
  const [target, feeds] = [join(home.path, "target"), join(home.path, "feeds")];
  await Deno.writeTextFile(target, "precious");
  await using plugin = await start(mirror, { directory: "feeds" }, home.path);
  for (const name of [NAME, `${NAME}.json`]) await Deno.symlink(target, join(feeds, name));
  await plugin.update(makeUpdate({ time: later() }));
  assert.equal(await Deno.readTextFile(target), "precious");
  assert.equal((await Deno.lstat(join(feeds, NAME))).isSymlink, false);
  assert.equal(await Deno.readTextFile(join(feeds, NAME)), "<rss/>");
});

Deno.test("mirror writes nothing for a call that has run out of time", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  const reason = new Error("Took longer than 30s");
  await assert.rejects(plugin.update(makeUpdate(), AbortSignal.abort(reason)), reason);
  assert.deepEqual(await names(home.path), []);
});

Deno.test("mirror says which file could not be written, and leaves nothing of it", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  const { write } = Deno.FsFile.prototype;
  const full = "No space left on device (os error 28)";
  Deno.FsFile.prototype.write = () => Promise.reject(new Error(full));
  try {
    const message = `Cannot write '${join(home.path, NAME)}': ${full}`;
    await assert.rejects(plugin.update(makeUpdate()), { message });
  } finally {
    Deno.FsFile.prototype.write = write;
  }
  assert.deepEqual(await names(home.path), []);
});

Deno.test("mirror deletes old temporary files at the start, and nothing else", async () => {
  await using home = await temporaryDirectory();
  const old = new Date(Date.now() - 3_600_000);
  const leftover = `.feedsync-${crypto.randomUUID()}.tmp`;
  const inUse = `.feedsync-${crypto.randomUUID()}.tmp`;
  for (const name of [leftover, inUse, "mine.tmp", NAME]) {
    await Deno.writeTextFile(join(home.path, name), "");
    if (name !== inUse) await Deno.utime(join(home.path, name), old, old);
  }
  await using _plugin = await start(mirror, { directory: "." }, home.path);
  assert.deepEqual(await names(home.path), [inUse, NAME, "mine.tmp"].sort());
});

Deno.test("mirror takes updates of different feeds at the same time", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  const urls = Array.from({ length: 100 }, (_, i) => `https://example.com/${i}`);
  await Promise.all(urls.map((url) => plugin.update(makeUpdate({ url, content: url }))));
  for (const url of urls) {
    assert.equal(await Deno.readTextFile(join(home.path, feedFileName(url))), url);
  }
  assert.equal((await names(home.path)).length, 200);
});

Deno.test("mirror needs a directory and refuses unknown options", async () => {
  await assert.rejects(start(mirror, undefined), /"directory"/);
  await assert.rejects(start(mirror, { directory: "" }), /"directory"/);
  await assert.rejects(start(mirror, { directory: ".", dir: "." }), /dir/);
});

Deno.test("mirror keeps mode, owner and group of what it replaces, and makes no programs", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  await plugin.update(makeUpdate());
  const paths = [NAME, `${NAME}.json`].map((name) => join(home.path, name));
  const isSuperuser = Deno.uid() === 0;
  if (!isSuperuser) console.warn("Only the superuser may change owners: that is left out");
  for (const path of paths) {
    if (isSuperuser) await Deno.chown(path, 12, 34);
    await Deno.chmod(path, 0o4664);
  }
  await plugin.update(makeUpdate({ content: "new", time: later() }));
  for (const path of paths) {
    const { mode, uid, gid } = await Deno.stat(path);
    assert.equal(mode! & 0o7777, 0o664);
    if (isSuperuser) assert.deepEqual([uid, gid], [12, 34]);
  }
  assert.equal(await Deno.readTextFile(paths[0]), "new");
});

Deno.test("mirror makes its directory again when it was deleted", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "deep/feeds" }, home.path);
  await plugin.update(makeUpdate());
  await Deno.remove(join(home.path, "deep"), { recursive: true });
  await plugin.update(makeUpdate());
  assert.deepEqual(await names(join(home.path, "deep/feeds")), [NAME, `${NAME}.json`]);
});

Deno.test("mirror keeps links that lead nowhere, and leaves directories alone", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  await Deno.symlink("not-mounted/feed", join(home.path, NAME));
  await plugin.update(makeUpdate({ time: later() }));
  const kept = (await names(home.path)).find((name) => name.startsWith(`${NAME}.kept-`))!;
  assert.equal(await Deno.readLink(join(home.path, kept)), "not-mounted/feed");
  const other = feedFileName("https://example.com/other");
  await Deno.mkdir(join(home.path, other));
  await assert.rejects(plugin.update(makeRemoval({ url: "https://example.com/other" })));
  assert.ok((await Deno.stat(join(home.path, other))).isDirectory);
});

Deno.test("mirror keeps what has the longest name, below one that file systems take", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(mirror, { directory: "." }, home.path);
  const url = "https://example.com/" + "a".repeat(5_000);
  await Deno.writeTextFile(join(home.path, feedFileName(url)), "mine");
  await plugin.update(makeUpdate({ url, time: later() }));
  const kept = (await names(home.path)).filter((name) => name.includes(".kept-"));
  assert.equal(await Deno.readTextFile(join(home.path, kept[0])), "mine");
  assert.match(plugin.logged.join("\n"), /^warn: .* is kept as /);
});
