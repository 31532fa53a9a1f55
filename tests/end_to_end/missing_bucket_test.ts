/** A bucket whose name is mistyped, or that is away for a while. */
import assert from "node:assert/strict";
import { feedsync, workspace } from "../cli/feedsync.ts";
import { Running } from "../cli/running.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { httpProxy, s3Failure } from "../servers/http.ts";

const KEYS = { region: "us-east-1", accessKeyId: "test", secretAccessKey: "test" };
const SAYS = /NoSuchBucket: .*; check 'store', .*or make the bucket with `feedsync init`/;

/** A plugin that says the URLs of updates. */
const SAY = `export default { name: "say", onUpdate: ({ url }) => console.error(url) };`;

/** A directory with a configuration for the store. */
function home(store: string, endpoint: string, more: Record<string, unknown> = {}) {
  const config = { store, s3: { endpoint, ...KEYS }, server: "web-1", ...more };
  return workspace({ "feedsync.json": JSON.stringify(config), "say.ts": SAY });
}

const COMMANDS = [
  ["publish", "https://example.com/1", "-"],
  ["watch"],
  ["watch", "--once"],
  ["tail"],
  ["tail", "--once"],
  ["get", "https://example.com/1"],
  ["feeds"],
  ["status"],
  ["check", "-q"],
  ["restore"],
  ["cleanup"],
  ["cleanup", "--dry-run"],
];

Deno.test("every command says that the bucket is missing and how to make it, and makes none", async () => {
  await using service = await fauxqsServer();
  const { endpoint } = service;
  await Promise.all(COMMANDS.map(async (args) => {
    await using directory = await home("s3://mistyped", endpoint);
    const run = await feedsync(args, { cwd: directory.path, stdin: "content" });
    assert.equal(run.code, 78, `${args}: ${run.stderr}`);
    assert.match(run.stderr + run.stdout, SAYS, args[0]);
  }));
  const { status, body } = await fetch(`${endpoint}/mistyped`);
  await body?.cancel();
  assert.equal(status, 404);
});

Deno.test("what was published to a mistyped bucket waits, and goes to the one that was meant", async () => {
  await using service = await fauxqsServer("feed-sync");
  await using directory = await home("s3://feed-snyc", service.endpoint);
  const publish = (name: string, ...flags: string[]) =>
    feedsync(["publish", `https://example.com/${name}`, "-", ...flags], {
      cwd: directory.path,
      stdin: name,
    });
  const mistyped = await publish("first");
  assert.equal(mistyped.code, 78, mistyped.stderr);
  assert.match(mistyped.stderr, /1 update is queued and safe/);
  const meant = await publish("second", "--store", "s3://feed-sync");
  assert.equal(meant.code, 0, meant.stderr);
  const { stdout } = await feedsync(["tail", "--once", "--json", "--store", "s3://feed-sync"], {
    cwd: directory.path,
  });
  assert.match(stdout, /example\.com\/first.*\n.*example\.com\/second/);
});

Deno.test("a server whose bucket is away goes on, also after a restart, and finds it again by itself", async () => {
  await using service = await fauxqsServer("feed-sync");
  let isAway = false;
  await using proxy = httpProxy(
    service.endpoint,
    (_, forward) => isAway ? Promise.resolve(s3Failure(404, "NoSuchBucket")) : forward(),
  );
  await using directory = await home("s3://feed-sync", proxy.endpoint, {
    poll: "100ms",
    publishTimeout: "1s",
    plugins: ["./say.ts"],
  });
  const options = { cwd: directory.path };
  const publish = (name: string) =>
    feedsync(["publish", `https://example.com/${name}`, "-", "--server", "web-2"], {
      ...options,
      stdin: name,
    });
  assert.equal((await publish("1")).code, 0);
  {
    await using watching = new Running(["watch"], options);
    await watching.says(/example\.com\/1/);
    isAway = true;
    await watching.says(/it was there before: .* \(retrying; nothing is lost\)/);
    watching.kill("SIGTERM");
    const { code, stderr } = await watching.end();
    assert.equal(code, 0, stderr);
  }
  await using watching = new Running(["watch"], options);
  await watching.says(/it was there before: .* \(retrying; nothing is lost\)/);
  const queued = await publish("2");
  assert.equal(queued.code, 75, queued.stderr);
  isAway = false;
  await watching.says(/The store can be reached again/);
  assert.equal((await publish("3")).code, 0);
  await watching.says(/example\.com\/2/);
  await watching.says(/example\.com\/3/);
});
