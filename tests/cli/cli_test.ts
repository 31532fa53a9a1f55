import assert from "node:assert/strict";
import { join } from "node:path";
import { feedsync, start, workspace } from "./feedsync.ts";

const URL = "https://example.com/feed.xml";
const CONFIG = JSON.stringify({ server: "web-1", store: "file:store", logLevel: "warn" });

/** A port at which nobody listens. */
const UNREACHABLE = {
  FEEDSYNC_STORE: "s3://feeds/x",
  FEEDSYNC_S3_ENDPOINT: "http://127.0.0.1:9",
  FEEDSYNC_S3_REGION: "us-east-1",
  FEEDSYNC_S3_ACCESS_KEY_ID: "id",
  FEEDSYNC_S3_SECRET_ACCESS_KEY: "SECRET",
  FEEDSYNC_PUBLISH_TIMEOUT: "100ms",
  FEEDSYNC_STOP_TIMEOUT: "0s",
};

/** Waits until the process has said something like this on standard error. */
async function said(process: Deno.ChildProcess, pattern: RegExp): Promise<void> {
  let text = "";
  for await (const part of process.stderr.pipeThrough(new TextDecoderStream())) {
    if (pattern.test(text += part)) return;
  }
  throw new Error(`ended without ${pattern}: ${text}`);
}

Deno.test("wrong usage ends with 64, one line, and nothing on standard output", async () => {
  await using directory = await workspace();
  const cases: [string[], RegExp][] = [
    [["wacth"], /^error: Unknown command "wacth", did you mean "watch"\?\n$/],
    [["--json=no", "watch"], /^error: The command comes first.*\n$/],
    [["publish"], /^error: URL is missing\n$/],
    [["watch", "--onec"], /^error: Unknown flag --onec, did you mean "--once"\?\n$/],
    [["cleanup", "--max-age", "1m"], /^error: --max-age must be at least 10m: .* 1m\n$/],
    [["tail", "--from", "x"], /^error: --from must be "earliest" or "now": .* "x"\n$/],
    [["watch", "--store", "foo"], /^error: --store must look like .*: .* "foo"\n$/],
    [["help", "nothing"], /^error: Unknown command "nothing"/],
  ];
  const outcomes = await Promise.all(
    cases.map(([args]) => feedsync(args, { cwd: directory.path })),
  );
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    assert.match(stderr, cases[index][1]);
    assert.equal(code, 64);
    assert.equal(stdout, "");
  }
});

Deno.test("a bad configuration ends with 78; with --json the error is JSON", async () => {
  await using directory = await workspace({ "feedsync.json": '{\n  "stroe": "file:x"\n}' });
  const { code, stdout, stderr } = await feedsync(["watch", "--json"], { cwd: directory.path });
  assert.equal(code, 78);
  assert.equal(stdout, "");
  const { message, properties } = JSON.parse(stderr);
  assert.equal(properties.name, "ConfigError");
  assert.match(message, /feedsync\.json:2:3: unknown key 'stroe', did you mean 'store'\?/);
});

Deno.test("a plugin that cannot be used ends with 78", async () => {
  await using directory = await workspace({
    "feedsync.json": JSON.stringify({ store: "file:store", plugins: ["./gone.ts"] }),
  });
  const { code, stderr } = await feedsync(["watch", "--once", "-q"], { cwd: directory.path });
  assert.equal(code, 78);
  assert.equal(
    stderr,
    `error: Cannot use plugin './gone.ts': ${join(directory.path, "gone.ts")} does not exist\n`,
  );
});

Deno.test("what publish is given, tail prints, and leaves no trace", async () => {
  await using directory = await workspace({
    "feedsync.json": CONFIG,
    "feed.bin": new Uint8Array([0xff, 0x00]),
    "feed.json": '{"items":[]}',
  });
  const cwd = directory.path;
  const first = await feedsync(["publish", URL, "--metadata", "status=200"], {
    cwd,
    stdin: "<rss/>",
  });
  assert.match(
    first.stdout,
    /^published https:\/\/example\.com\/feed\.xml as web-1_[a-z2-7]{8}\/1\n$/,
  );
  assert.equal(first.code, 0, first.stderr);
  const second = await feedsync(["publish", URL, "feed.bin", "--json"], { cwd });
  const [{ id, ...receipt }] = second.json();
  assert.deepEqual([receipt.status, receipt.url, receipt.seq], ["published", URL, 2]);
  await feedsync(["publish", URL, "feed.json", "--json-content"], { cwd });
  await feedsync(["publish", URL, "--remove"], { cwd });

  for (const _ of ["first", "again"]) {
    const { code, json } = await feedsync(["tail", "--once"], { cwd });
    assert.equal(code, 0);
    const [text, bytes, parsed, removed] = json();
    assert.equal(json().length, 4);
    assert.equal(text.content, "<rss/>");
    assert.deepEqual(text.metadata, { status: "200" });
    assert.deepEqual([bytes.id, bytes.content, bytes.encoding], [id, "/wA=", "base64"]);
    assert.deepEqual(parsed.content, { items: [] });
    assert.deepEqual([removed.removed, "content" in removed, removed.seq], [true, false, 4]);
    assert.deepEqual(
      Object.keys(text).sort(),
      ["content", "id", "metadata", "seq", "server", "stream", "superseded", "time", "url"],
    );
  }
});

Deno.test("publish knows a feed by one URL, and refuses slips with 65 before it reads anything", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  const cwd = directory.path;
  const spelling = "feed:HTTPS://Example.com:443/feed.xml#top";
  const published = await feedsync(["publish", spelling, "--json"], { cwd, stdin: "<rss/>" });
  assert.deepEqual(published.json().map(({ status, url }) => [status, url]), [["published", URL]]);
  const slips: Record<string, RegExp> = {
    "example.com:8080/feed.xml": /; write "https:\/\/example\.com:8080\/feed\.xml"\n$/,
    "C:\\feeds\\x.xml":
      /it looks like the path of a file; write the URL that the feed is fetched from\n$/,
    " https://example.com/": /; write "https:\/\/example\.com\/"\n$/,
  };
  for (const [slip, message] of Object.entries(slips)) {
    const process = start(["publish", slip, "-"], { cwd }); // Its standard input never ends.
    const { code, stderr } = await process.output();
    await process.stdin.close();
    assert.equal(code, 65);
    assert.match(new TextDecoder().decode(stderr), message);
  }
});

Deno.test("publish --if-changed publishes the same content only once", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG, "feed.xml": "<rss/>" });
  const publish = () =>
    feedsync(["publish", URL, "feed.xml", "--if-changed"], { cwd: directory.path });
  assert.match((await publish()).stdout, /^published /);
  const again = await publish();
  assert.equal(again.stdout, `unchanged ${URL}\n`);
  assert.equal(again.code, 0);
});

Deno.test("bad input ends with 65", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  const cwd = directory.path;
  const outcomes = await Promise.all([
    feedsync(["publish", URL, "missing.xml"], { cwd }),
    feedsync(["publish", URL, "-"], { cwd, stdin: "" }),
    feedsync(["publish", "not a URL", "feedsync.json"], { cwd }),
  ]);
  for (const { code, stdout, stderr } of outcomes) {
    assert.equal(code, 65, stderr);
    assert.match(stderr, /^error: Cannot [^\n]*\n$/);
    assert.equal(stdout, "");
  }
});

Deno.test("when the store is down publish ends with 75, and what reads with 69", async () => {
  await using directory = await workspace({ "feed.xml": "<rss/>" });
  const options = { cwd: directory.path, env: UNREACHABLE };
  const publish = await feedsync(["publish", URL, "feed.xml", "-q", "--json"], options);
  assert.equal(publish.code, 75, publish.stderr);
  const { message, properties } = JSON.parse(publish.stderr.trim().split("\n").at(-1)!);
  assert.equal(properties.name, "StoreUnavailableError");
  assert.match(message, /queued/);
  assert.equal(publish.stdout, "");
  const cleanup = await feedsync(["cleanup", "-q"], options);
  assert.equal(cleanup.code, 69, cleanup.stderr);
  assert.doesNotMatch(publish.stderr + cleanup.stderr, /SECRET/);
});

Deno.test("the store for one machine is explained, unless it was asked for", async () => {
  await using directory = await workspace({ "feed.xml": "<rss/>" });
  const cwd = directory.path;
  const unasked = await feedsync(["publish", URL, "feed.xml"], { cwd });
  assert.match(unasked.stderr, /info .*\.feedsync.store, for this machine only; .*s3:\/\/bucket/);
  const asked = await feedsync(
    ["publish", URL, "feed.xml", "--store", "file:store", "--state", "state.db"],
    { cwd },
  );
  assert.equal(asked.stderr, "");
});

Deno.test("when not enabled, commands say so and do nothing", async () => {
  await using directory = await workspace({ "feed.xml": "<rss/>" });
  const options = { cwd: directory.path, env: { FEEDSYNC_ENABLED: "false" } };
  const publish = await feedsync(["publish", URL, "feed.xml"], options);
  const watch = await feedsync(["watch"], options);
  assert.deepEqual([publish.code, publish.stdout], [0, `disabled ${URL}\n`]);
  assert.deepEqual([watch.code, watch.stdout], [0, ""]);
  for (const { stderr } of [publish, watch]) assert.match(stderr, /"enabled": false/);
  assert.deepEqual([...Deno.readDirSync(directory.path)].map(({ name }) => name), ["feed.xml"]);
});

Deno.test("watch --once applies what is new, once, and publishes files", async () => {
  await using directory = await workspace({
    "feedsync.json": CONFIG,
    "https%3A%2F%2Fexample.com%2Ffile.xml.feed": "<file/>",
  });
  const cwd = directory.path;
  await feedsync(["publish", URL, "-"], { cwd, stdin: "<rss/>" });
  const web2 = ["watch", "--once", "--server", "web-2"];
  const first = await feedsync([...web2, "--files", "."], { cwd });
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^\S+ +web-1 +https:\/\/example\.com\/feed\.xml +6 B\n$/);
  const second = await feedsync(web2, { cwd });
  assert.deepEqual([second.code, second.stdout], [0, ""]);
  const published = await feedsync(["tail", "--once", "--store", "file:store"], { cwd });
  assert.deepEqual(
    published.json().map(({ server, url }) => `${server} ${url}`).sort(),
    ["web-1 https://example.com/feed.xml", "web-2 https://example.com/file.xml"],
  );
});

Deno.test("watch and tail --once end with 65, and name it, when a damaged object holds up a stream", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  const cwd = directory.path;
  await feedsync(["publish", URL, "-"], { cwd, stdin: "first" });
  await feedsync(["publish", "https://example.com/other.xml", "-", "--server", "web-2"], {
    cwd,
    stdin: "other",
  });
  const tail = join(cwd, "store", "tail");
  const [stream] = [...Deno.readDirSync(tail)].filter(({ name }) => name.startsWith("web-1"));
  const [{ name }] = [...Deno.readDirSync(join(tail, stream.name))];
  await Deno.writeTextFile(join(tail, stream.name, name), "damaged");
  for (const command of [["watch", "--server", "web-3"], ["tail"]]) {
    const { code, stdout, stderr } = await feedsync([...command, "--once"], { cwd });
    assert.equal(code, 65, stderr);
    assert.match(stdout, /other/);
    assert.match(stderr, /error: Cannot read everything, damaged objects .*tail\/web-1_/);
  }
});

Deno.test("watch --json prints NDJSON only, besides what the plugins do", async () => {
  await using directory = await workspace({
    "feedsync.json": JSON.stringify({
      server: "web-1",
      store: "file:store",
      plugins: ["log", "./note.ts"],
    }),
    "note.ts": `export default {
      name: "note",
      onUpdate: ({ url }, { directory }) => Deno.writeTextFile(directory + "/noted", url),
    };`,
  });
  const cwd = directory.path;
  await feedsync(["publish", URL, "-"], { cwd, stdin: "<rss/>" });
  const { code, json } = await feedsync(["watch", "--once", "--json", "--server", "web-2"], {
    cwd,
  });
  assert.equal(code, 0);
  assert.deepEqual(json().map(({ url, seq }) => [url, seq]), [[URL, 1]]);
  assert.equal(await Deno.readTextFile(join(cwd, "noted")), URL);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `watch ends with 0 after a graceful stop by ${signal}`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using directory = await workspace();
      const process = start(["watch", "--store", "file:store"], { cwd: directory.path });
      await process.stdin.close();
      await said(process, /Watching file:.*store as .*; plugins: log/);
      process.kill(signal);
      const [status] = await Promise.all([process.status, process.stdout.cancel()]);
      assert.equal(status.code, 0);
    },
  });
}

/** A directory with an update from web-1, and a plugin that never gets done with it. */
async function hangingWorkspace(stopTimeout: string) {
  const directory = await workspace({
    "feedsync.json": JSON.stringify({
      server: "web-1",
      store: "file:store",
      plugins: ["./hang.ts"],
      callbackTimeout: "10m",
      stopTimeout,
    }),
    "hang.ts": `export default {
      name: "hang",
      onUpdate: (_update, { logger }) => new Promise((_, reject) => {
        logger.info("begun");
        setTimeout(reject, 600_000);
      }),
    };`,
  });
  await feedsync(["publish", URL, "-"], { cwd: directory.path, stdin: "<rss/>" });
  return directory;
}

Deno.test({
  name: "watch --once is stopped by a signal, whatever its plugins do",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await hangingWorkspace("0s");
    const process = start(["watch", "--once", "--server", "web-2"], { cwd: directory.path });
    await process.stdin.close();
    await said(process, /hang: begun/);
    process.kill("SIGTERM");
    const [status] = await Promise.all([process.status, process.stdout.cancel()]);
    assert.equal(status.code, 143);
  },
});

Deno.test({
  name: "a second signal ends a command that does not stop",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await hangingWorkspace("10m");
    const process = start(["watch", "--server", "web-2"], { cwd: directory.path });
    await process.stdin.close();
    await said(process, /hang: begun/);
    process.kill("SIGINT");
    // Signals that arrive together are one: repeat until it has ended.
    const again = setInterval(() => {
      try {
        process.kill("SIGINT");
      } catch {
        // It has ended: its status is about to tell.
      }
    }, 20);
    process.status.then(() => clearInterval(again));
    const [status] = await Promise.all([process.status, process.stdout.cancel()]);
    assert.equal(status.code, 130);
  },
});

Deno.test({
  name: "publish can be stopped while it waits for standard input",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await workspace({ "feedsync.json": CONFIG });
    const process = start(["publish", URL, "-", "-v"], { cwd: directory.path });
    await said(process, /Configuration file:/);
    process.kill("SIGTERM");
    const [status] = await Promise.all([process.status, process.stdout.cancel()]);
    await process.stdin.abort().catch(() => {});
    assert.equal(status.code, 143);
  },
});

Deno.test("tail ends quietly when nobody reads its output any more", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  const cwd = directory.path;
  const content = "x".repeat(200_000);
  for (const url of [URL, `${URL}?2`]) {
    await feedsync(["publish", url, "-"], { cwd, stdin: content });
  }
  const process = start(["tail"], { cwd });
  await process.stdin.close();
  const reader = process.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const stderr = await new Response(process.stderr).text();
  const { code } = await process.status;
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /^error/m);
});

Deno.test("cleanup reports what it deletes, as text or JSON", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  const cwd = directory.path;
  await feedsync(["publish", URL, "-"], { cwd, stdin: "<rss/>" });
  const text = await feedsync(["cleanup", "--dry-run"], { cwd });
  assert.deepEqual([text.code, text.stdout], [0, "would delete 0 objects (0 bytes), kept 1\n"]);
  const [report] = (await feedsync(["cleanup", "--max-age", "1h", "--json"], { cwd })).json();
  assert.deepEqual(report, {
    deleted: 0,
    bytes: 0,
    kept: 1,
    failed: 0,
    deletedUnread: 0,
    departed: 0,
    carried: 0,
    swept: 0,
    locked: 0,
    newest: { objects: 0, bytes: 0 },
    undated: 0,
    foreign: 0,
    keys: [],
  });
});

Deno.test("cost prints ways of working with their requests and dollars, as text or JSON", async () => {
  await using home = await workspace({});
  const cwd = home.path;
  const args = ["cost", "--servers", "10", "--updates-per-hour", "100", "--provider", "r2"];
  const text = await feedsync(args, { cwd });
  assert.equal(text.code, 0, text.stderr);
  assert.match(
    text.stdout,
    /as configured: polling every 10s +196,580 +660,042 +[\d,]+ +\d+\.\d\d\n/,
  );
  assert.match(text.stdout, /Prices of r2: https:/);
  const [configured, , , , peers] = (await feedsync([...args, "--json"], { cwd })).json();
  assert.deepEqual([configured.put, configured.get, configured.provider], [196_580, 660_042, "r2"]);
  assert.equal(peers.get, 3_042);
  for (const [flag, value] of [["--servers", "0"], ["--provider", "azure"], ["--poll", "0"]]) {
    assert.equal((await feedsync([...args.slice(0, 5), flag, value], { cwd })).code, 64);
  }
});

Deno.test("--once ends with 1 when updates are lost in a gap, and that of watch with 0 at the next run", async () => {
  await using directory = await workspace({ "feedsync.json": CONFIG });
  const cwd = directory.path;
  const publish = (n: number) => feedsync(["publish", `${URL}?${n}`], { cwd, stdin: String(n) });
  const watch = () => feedsync(["watch", "--once", "--server", "web-2"], { cwd });
  await publish(1);
  assert.equal((await watch()).code, 0);
  for (const n of [2, 3]) await publish(n);
  const tail = join(cwd, "store", "tail"),
    [{ name: stream }] = await Array.fromAsync(Deno.readDir(tail));
  for await (const { name } of Deno.readDir(join(tail, stream))) {
    if (name.includes("2.1.")) await Deno.remove(join(tail, stream, name));
  }
  const { code, stderr } = await watch();
  assert.equal(code, 1);
  assert.match(stderr, /Updates of web-1_\w+ are lost, 2 to 2/);
  const lost = /^error: Cannot apply everything, updates are lost in 1 gap: see the log/m;
  assert.match(stderr, lost);
  assert.equal((await watch()).code, 0);

  const printed = await feedsync(["tail", "--once", "--from", "earliest"], { cwd });
  assert.deepEqual([printed.code, printed.stdout.match(/\?\d/g)], [1, ["?1", "?3"]]);
  assert.match(printed.stderr, lost);
});
