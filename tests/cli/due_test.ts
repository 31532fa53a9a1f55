import assert from "node:assert/strict";
import { join } from "node:path";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { pause } from "../chaos/waiting.ts";
import { FeedServer } from "../examples/feed_server.ts";
import { ROOT } from "../library/package_imports.ts";
import { feedsync, workspace } from "./feedsync.ts";
import { Running } from "./running.ts";

const CONFIG = JSON.stringify({ store: "file:store", server: "web-1", logLevel: "warn" });

const A = "https://a.example/feed.xml", B = "https://b.example/feed.xml?a=1&b=2";

const OPML = `<?xml version="1.0"?><opml version="2.0"><body>
  <outline text="R & B"><outline xmlUrl="https://b.example/feed.xml?a=1&amp;b=2"/></outline>
  <outline xmlUrl="HTTPS://C.example/"/>
</body></opml>`;

/** A directory of one server. */
async function server(files: Record<string, string | Uint8Array> = {}) {
  const home = await workspace({ "feedsync.json": CONFIG, ...files });
  const run = (args: string[], stdin?: string) => feedsync(args, { cwd: home.path, stdin });
  const due = (args: string[], stdin?: string) => run(["due", "--every", "1h", ...args], stdin);
  return Object.assign(home, { run, due });
}

Deno.test("due prints what is due, one URL a line, and each once until checked tells what came of it", async () => {
  await using home = await server();
  const list = `# news\n\n${A}\n  ${B}\r\nnot a URL\n${A}`;
  const first = await home.due([], list);
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(first.stdout.split("\n").sort(), ["", A, B]);
  assert.match(first.stderr, /^\S+ warn +Ignoring an entry: .*"not a URL".*\n$/);

  const second = await home.due(["-v", "-"], list);
  assert.deepEqual([second.code, second.stdout], [0, ""]);
  assert.match(second.stderr, /Not due until 20\S+Z: https:\/\/a\.example\/feed\.xml, .*fetched/);

  const checked = await home.run(["checked", A, "--status=200", "--cache-control", "max-age=7200"]);
  assert.equal(checked.code, 0, checked.stderr);
  const [, url, next] = /^checked (\S+), next at (20\S+Z)\n$/.exec(checked.stdout)!;
  const inMinutes = (Date.parse(next) - Date.now()) / 60_000;
  assert.ok(url === A && inMinutes > 115 && inMinutes < 130, checked.stdout);

  const turns = (await home.due(["--json"], list)).json();
  const [a, b, invalid] = turns;
  assert.equal(turns.length, 3);
  assert.deepEqual(a, { url: A, due: false, reason: "fresh", until: next });
  assert.deepEqual({ ...b, until: "" }, { url: B, due: false, reason: "leased", until: "" });
  assert.deepEqual({ ...invalid, problem: "" }, {
    ...{ url: "not a URL", due: false, reason: "invalid", problem: "" },
  });
});

Deno.test("due reads OPML, several lists, and no more than the limit", async () => {
  await using home = await server({ "a.txt": A, "b.opml": OPML });
  const { code, stdout, stderr } = await home.due(["a.txt", "b.opml", "--limit=2", "--json"]);
  assert.equal(code, 0, stderr);
  const turns = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(turns.map(({ url }) => url), [A, B, "HTTPS://C.example/"]);
  assert.equal(turns.filter(({ due }) => due).length, 2);
  assert.equal(turns.find(({ due }) => !due).reason, "limit");
  for (const { validators, headers, leasedUntil } of turns.filter(({ due }) => due)) {
    assert.deepEqual({ validators, headers }, { validators: {}, headers: {} });
    assert.ok(Date.parse(leasedUntil) > Date.now());
  }
});

Deno.test("due returns the validators of what was published", async () => {
  await using home = await server({ body: "<rss/>" });
  const due = async () => (await home.run(["due", "--every", "1s", "--json"], A)).json()[0];
  await due();
  const etag = 'W/"x, y"', date = "Fri, 02 Jan 2026 03:04:05 GMT";
  await home.run(["publish", A, "body", "--if-changed"]);
  const headers = `HTTP/1.1 200 OK\r\nETag: ${etag}\r\nLast-Modified: ${date}\r\n\r\n`;
  const checked = await home.run(["checked", A, "--headers=-", "--content=body"], headers);
  assert.equal(checked.code, 0, checked.stderr);
  const turn = await untilDue(due);
  assert.deepEqual(turn.validators, { etag, lastModified: date });
  assert.deepEqual(turn.headers, { "If-None-Match": etag, "If-Modified-Since": date });
});

async function untilDue(due: () => Promise<Record<string, unknown>>) {
  for (;;) {
    const turn = await due(); // Starting it takes a good part of the interval.
    if (turn.due) return turn;
  }
}

Deno.test("checked tells where a feed is now, and when to come back", async () => {
  await using home = await server();
  const moved = ["checked", A, "--status", "301", "--location", "/new.xml"];
  const { stdout } = await home.run(moved);
  assert.match(stdout, /, moved permanently to https:\/\/a\.example\/new\.xml\n$/);
  const [json] = (await home.run([...moved, "--json"])).json();
  assert.deepEqual(json, { url: A, next: json.next, movedTo: "https://a.example/new.xml" });
  const gone = await home.run(["checked", A, "--status", "410"]);
  assert.match(gone.stdout, /, gone for good\n$/);
  assert.equal((await home.run(["checked", A, "--status", "410", "--json"])).json()[0].gone, true);
  const [busy] = (await home.run(["checked", B, "--json", "--status=429", "--retry-after=7200"]))
    .json();
  assert.ok(Date.parse(busy.next as string) > Date.now() + 7_100_000);
  const [failed] = (await home.run(["checked", B, "--json", "--error", "timed out"])).json();
  assert.ok(Date.parse(failed.next as string) > Date.now() + 50_000);
});

Deno.test("due and checked leave a running watch alone, and share its state", async () => {
  await using home = await server({ body: "<rss/>" });
  const plugins = [["mirror", { directory: "mirror" }]];
  const config = { ...JSON.parse(CONFIG), plugins, logLevel: "info", poll: "200ms" };
  await Deno.writeTextFile(join(home.path, "watch.json"), JSON.stringify(config));
  await using watching = new Running(["watch", "--config", "watch.json"], { cwd: home.path });
  await watching.says(/Complete: 0 feeds/);
  assert.equal((await home.due([], A)).stdout, `${A}\n`);
  assert.equal((await home.due([], A)).stdout, "");
  await home.run(["checked", A, "--status", "404"]);
  const [turn] = (await home.due(["--json"], A)).json();
  assert.equal(turn.reason, "backoff");
  const published = ["publish", B, "body", "--server=web-2", "--state=web-2.db"];
  assert.equal((await home.run(published)).code, 0);
  const mirrored = join(home.path, "mirror", feedFileName(B));
  while (await Deno.stat(mirrored).then(() => false, () => true)) await pause(50);
  assert.equal(Array.from(Deno.readDirSync(join(home.path, "store/present"))).length, 1);
  watching.kill("SIGTERM");
  const { code, stderr } = await watching.end();
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, / (warn|error) /);
});

Deno.test("a list that is missing, damaged or no list is refused, and nothing is leased", async () => {
  await using home = await server({
    "cut.opml": OPML.slice(0, -10),
    "feed.xml": "<rss/>",
    "bytes": new Uint8Array([0xe9, 10]),
    "a.txt": A,
  });
  const cases: [string, RegExp][] = [
    ["cut.opml", /^error: Cannot read cut\.opml: it is not valid XML: \d+:\d+: /],
    ["feed.xml", /^error: Cannot read feed\.xml: it is XML, but no OPML list/],
    ["bytes", /^error: Cannot read bytes: it is not UTF-8 text\n$/],
    ["none", /^error: Cannot read none: /],
  ];
  for (const [file, message] of cases) {
    const { code, stdout, stderr } = await home.due(["a.txt", file]);
    assert.deepEqual([code, stdout], [65, ""]);
    assert.match(stderr, message);
  }
  assert.equal((await home.due(["a.txt"])).stdout, `${A}\n`);
});

Deno.test("due tells when a list has no feeds, such as one that was just emptied", async () => {
  await using home = await server({ "empty.opml": "" });
  const { code, stdout, stderr } = await home.due(["empty.opml"]);
  assert.deepEqual([code, stdout], [0, ""]);
  assert.match(stderr, /^\S+ warn +No feed is due: there is none in empty\.opml\n$/);
});

Deno.test("due prints nothing when feedsync is disabled, for scripts that ask until nothing is due", async () => {
  await using home = await server({ "feedsync.json": `{ "enabled": false, "server": "web-1" }` });
  const { code, stdout, stderr } = await home.due([], A);
  assert.deepEqual([code, stdout], [0, ""]);
  assert.match(stderr, /feedsync is disabled/);
});

Deno.test("wrong usage of due is refused", async () => {
  await using home = await server();
  const cases: [string[], RegExp][] = [
    [["due"], /^error: --every is missing: /],
    [["due", "--every", "often"], /^error: Cannot use --every: .*must be a duration/],
    [["due", "--every", "15"], /such as .* or "7d": current value is "15"\n$/],
    [["due", "--every", "1ms"], /^error: --every must be at least 1s: current value is 1ms\n$/],
    [["due", "--every=1h", "--limit", "0"], /^error: --limit must be a positive whole number: /],
    [["due", "--every=1h", "--limit", "1.5"], /^error: --limit must be /],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await home.run(args, A);
    assert.equal(code, 64, stderr);
    assert.match(stderr, message);
  }
});

Deno.test("the script in the documentation fetches what is due, and tells what came of it", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs/turns.md"));
  const [, script] = /```sh\n(#!\/bin\/bash\n.*?)```/s.exec(page)!;
  await using feeds = await FeedServer.start({
    kinds: ["gzip", "modified", "latin1", "moved", "busy", "closed", "truncated"],
  });
  await using home = await server({ "feeds.opml": feeds.opml() });
  const command = `feedsync() { "${Deno.execPath()}" run -A --config "${ROOT}/deno.json" ` +
    `"${ROOT}/cli.ts" "$@"; }`;
  const run = () =>
    new Deno.Command("bash", { args: ["-c", `${command}\n${script}`], cwd: home.path }).output();
  const { code, stdout, stderr } = await run();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, said);
  for (const feed of feeds.feeds) {
    assert.equal(feeds.of(feed).length, 1, feed.url);
    const { code, stdout } = await home.run(["get", feed.url, "-o", "content"]);
    const isPublished = ["gzip", "modified", "latin1"].includes(feed.kind);
    assert.equal(code, isPublished ? 0 : 65, said + stdout);
    if (!isPublished) continue;
    assert.deepEqual(await Deno.readFile(join(home.path, "content")), feeds.contentOf(feed));
  }
  assert.match(said, /moved permanently to https:\/\/example\.org\/moved\.xml\n/);
  const turns = (await home.run(["due", "feeds.opml", "--every=1s", "--json"])).json();
  const conditions = turns.filter(({ due }) => due).map(({ headers }) => Object.keys(headers!));
  assert.deepEqual(conditions.flat().sort(), [
    "If-Modified-Since",
    "If-None-Match",
    "If-None-Match",
  ]);
});
