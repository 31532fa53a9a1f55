import assert from "node:assert/strict";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { connect } from "../../lib/connect.ts";
import { connectionOf } from "../../lib/connection.ts";
import { asSeq } from "../../lib/log/positions.ts";
import { feedsync, workspace } from "./feedsync.ts";
import { Running } from "./running.ts";

const SHARED = { store: "file:store", logLevel: "warn" };
const FEED = "https://example.com/feed.xml";

/** A directory with the configurations of two servers around one store. */
async function twoServers(shared: Record<string, unknown> = {}) {
  const config = (server: string) =>
    JSON.stringify({ ...SHARED, server, state: `${server}.db`, ...shared });
  const home = await workspace({ "web-1.json": config("web-1"), "web-2.json": config("web-2") });
  const run = (server: string, args: string[], stdin?: string | Uint8Array) =>
    feedsync([...args, "--config", `${server}.json`], { cwd: home.path, stdin });
  return { path: home.path, run, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

Deno.test("get prints the newest content byte for byte, JSON as JSON, the whole update with --json", async () => {
  await using home = await twoServers();
  const bytes = new Uint8Array([0xff, 0xfe, 0, 13, 10, 27]);
  const publish = (...args: string[]) => ["publish", ...args];
  assert.equal((await home.run("web-1", publish(FEED), "<rss>\r\n\tü\x1b[2J</rss>")).code, 0);
  assert.equal((await home.run("web-1", publish(`${FEED}?bytes`), bytes)).code, 0);
  const json = publish(`${FEED}?json`, "--json-content", "--metadata", "etag=x");
  assert.equal((await home.run("web-1", json, '{"a":[1]}')).code, 0);

  const text = await home.run("web-2", ["get", FEED]);
  assert.deepEqual([text.code, text.stdout, text.stderr], [0, "<rss>\r\n\tü\x1b[2J</rss>", ""]);
  assert.equal(
    (await home.run("web-2", ["get", `${FEED}?json`])).stdout,
    '{\n  "a": [\n    1\n  ]\n}\n',
  );
  const [update] = (await home.run("web-2", ["get", `${FEED}?json`, "--json"])).json();
  const [printed] = (await home.run("web-2", ["tail", "--once"])).json().slice(-1);
  assert.deepEqual(update, printed);
  assert.deepEqual(update.metadata, { etag: "x" });
  const file = join(home.path, "out");
  await Deno.writeTextFile(file, "before", { mode: 0o640 });
  assert.equal((await home.run("web-2", ["get", `${FEED}?bytes`, "-o", "out"])).code, 0);
  assert.deepEqual(await Deno.readFile(file), bytes);
  assert.equal(Deno.statSync(file).mode! & 0o777, 0o640);
  const left = Array.from(Deno.readDirSync(home.path), ({ name }) => name).sort();
  assert.deepEqual(left.filter((name) => !name.startsWith("web-1.db")), [
    "out",
    "store",
    "web-1.json",
    "web-2.json",
  ]);
});

Deno.test("get ends with 65 for a feed that nobody published or that is gone, and writes no file then", async () => {
  await using home = await twoServers();
  await home.run("web-1", ["publish", FEED], "<rss/>");
  await home.run("web-1", ["publish", `${FEED}?gone`, "--remove"]);
  const cases: [string, RegExp][] = [
    [
      "https://example.com/feeds.xml",
      /^error: No server has published the feed \S+, did you mean "https:\/\/example\.com\/feed\.xml"\?\n$/,
    ],
    ["https://example.org/", /, see `feedsync feeds`\n$/],
    [`${FEED}?gone`, /^error: The feed \S+gone is gone: web-1 said so at 20\d\d-/],
    ["example.com/feed.xml", /its scheme is missing; write "https:\/\/example\.com\/feed\.xml"/],
  ];
  for (const [url, message] of cases) {
    const { code, stdout, stderr } = await home.run("web-2", ["get", url, "-o", "out"]);
    assert.deepEqual([code, stdout], [65, ""], stderr);
    assert.match(stderr, message);
  }
  await assert.rejects(Deno.stat(join(home.path, "out")), Deno.errors.NotFound);
  const gone = await home.run("web-2", ["get", `${FEED}?gone`, "--json"]);
  assert.equal(gone.code, 0);
  assert.equal(gone.json()[0].removed, true);
});

Deno.test("get and feeds look into the state of a watch that runs, and leave it alone", async () => {
  await using home = await twoServers({ logLevel: "info", plugins: ["log"], poll: "200ms" });
  await home.run("web-1", ["publish", FEED], "<rss/>");
  const args = ["watch", "--config", "web-2.json"];
  await using watching = new Running(args, { cwd: home.path });
  await watching.says(/Complete: 1 feed/);
  const got = await home.run("web-2", ["get", FEED, "-v"]);
  assert.deepEqual([got.code, got.stdout], [0, "<rss/>"], got.stderr);
  const [feed] = (await home.run("web-2", ["feeds", "--json"])).json();
  assert.deepEqual([feed.url, feed.server, feed.removed], [FEED, "web-1", false]);
  watching.kill("SIGTERM");
  assert.equal((await watching.end()).code, 0);
});

Deno.test("get and feeds need the keys of an encrypted store", async () => {
  await using home = await twoServers({ encryption: { keys: "feedsync.keys.json" } });
  await feedsync(["keygen", "feedsync.keys.json"], { cwd: home.path });
  await home.run("web-1", ["publish", FEED], "<rss/>");
  const { code, stdout, stderr } = await home.run("web-2", ["get", FEED]);
  assert.deepEqual([code, stdout], [0, "<rss/>"], stderr);
  assert.equal((await home.run("web-2", ["feeds", "--json"])).json()[0].url, FEED);
  const without = { cwd: home.path, env: { FEEDSYNC_LOG_LEVEL: "warn" } };
  for (const args of [["get", FEED], ["feeds"]]) {
    const locked = await feedsync([...args, "--store", "file:store"], without);
    assert.deepEqual([locked.code, locked.stdout], [78, ""], locked.stderr);
    assert.match(locked.stderr, /\nerror: Cannot read .* no keys are configured/);
  }
});

Deno.test("get writes into a pipe, and to what a link points to", async () => {
  await using home = await twoServers();
  await home.run("web-1", ["publish", FEED], "<rss/>");
  const [target, link] = [join(home.path, "target"), join(home.path, "link")];
  await Deno.writeTextFile(target, "before");
  await Deno.symlink(target, link);
  assert.equal((await home.run("web-2", ["get", FEED, "--output=link"])).code, 0);
  assert.ok(Deno.lstatSync(link).isSymlink);
  assert.equal(await Deno.readTextFile(target), "<rss/>");
  assert.equal((await home.run("web-2", ["get", FEED, "-o", "/dev/stdout"])).stdout, "<rss/>");
  const { code, stderr } = await home.run("web-2", ["get", FEED, "-o", "web-1.json/out"]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: Cannot write web-1\.json\/out: /);
});

Deno.test("what is kept is found in a shell, as the documentation says", async () => {
  await using home = await workspace();
  await using sync = await connect({ store: `file:${home.path}`, server: "web-1" });
  const { log } = connectionOf(sync).parts!;
  for (const [content, time] of [["old", "2026-01-01"], ["new", "2026-01-02"]]) {
    await log.newest.write({
      ...{ stream: "web-1_abcdefgh", seq: asSeq(1), id: crypto.randomUUID(), url: FEED },
      ...{ time: `${time}T00:00:00.000Z`, metadata: {}, content },
    });
  }
  const page = await Deno.readTextFile(new URL("../../docs/running.md", import.meta.url));
  const [, block] = /^(url=https.*?)^aws s3 cp/ms.exec(page)!;
  // The directory of a store has the names that its bucket has.
  const aws = `aws() { ls "$3" | sed 's/^/2026-01-01 00:00:00 1 /'; }`;
  const script = `${aws}\n${block.replace("s3://feed-sync/prod", ".")}`;
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `${script}\nprintf %s "$group/$key"`],
    cwd: home.path,
  }).output();
  const path = join(home.path, new TextDecoder().decode(stdout));
  assert.equal(new TextDecoder().decode(stderr), "");
  const text = zstdDecompressSync(await Deno.readFile(path)).toString();
  assert.equal(JSON.parse(text.trimEnd().split("\n").at(-1)!).content, "new");
});
