import assert from "node:assert/strict";
import { join } from "node:path";
import { openStore } from "../../lib/stores/open.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { httpProxy, s3Failure } from "../servers/http.ts";
import { feedsync, workspace } from "./feedsync.ts";

const SETTINGS = { server: "web-1", store: "file:store", state: "web-1.db" };

/** A directory with a store and a configuration. */
async function home(settings: Record<string, unknown> = {}) {
  const place = await workspace({ "feedsync.json": JSON.stringify({ ...SETTINGS, ...settings }) });
  await Deno.mkdir(join(place.path, "store"));
  return {
    ...place,
    run: (...args: string[]) => feedsync(["check", ...args], { cwd: place.path }),
  };
}

Deno.test("check prints line by line what is right, and ends with 0", async () => {
  await using place = await home();
  const { code, stdout, stderr } = await place.run();
  assert.deepEqual([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0], /^✓ The configuration is in .*feedsync\.json$/);
  assert.ok(lines.slice(0, -1).every((line) => /^[✓–] /.test(line)), stdout);
  assert.equal(lines.at(-1), "1 check not made");
  const names = Array.from(Deno.readDirSync(place.path), ({ name }) => name).sort();
  assert.deepEqual(names, ["feedsync.json", "store"]);
  const quiet = await place.run("-q", "--strict");
  assert.deepEqual([quiet.code, quiet.stdout], [0, ""]);
});

Deno.test("check ends with 1 for something doubtful only if it is strict", async () => {
  await using place = await home({ enabled: false });
  const quiet = await place.run("-q");
  assert.equal(quiet.code, 0, quiet.stderr);
  assert.equal(
    quiet.stdout,
    "! feedsync is disabled\n  → Remove 'enabled' or set it to true to enable it\n1 doubtful, 1 check not made\n",
  );
  assert.equal((await place.run("--strict")).code, 1);
});

Deno.test("check goes on after an unknown key, and ends with the code of the first thing that is wrong", async () => {
  await using place = await home({ retension: "1d", plugins: ["mirrow"] });
  const { code, stdout, stderr } = await place.run();
  assert.deepEqual([code, stderr], [78, ""]);
  assert.match(
    stdout,
    /^✗ .*feedsync\.json:1:\d+: unknown key 'retension', did you mean 'retention'/,
  );
  assert.match(stdout, /\n✓ The right to delete is given\n/);
  assert.match(stdout, /\n✗ Cannot use plugin 'mirrow'/);
  assert.match(stdout, /\n2 wrong, 1 check not made\n$/);
});

Deno.test("check without a configuration that can be used says what it could not check", async () => {
  await using place = await home({ poll: "often" });
  const { code, stdout } = await place.run();
  assert.equal(code, 78);
  assert.match(
    stdout,
    /^✗ .*'poll' must be .*\n– Not checked, as the configuration cannot be used: provider, store, .*plugins\n/,
  );
  const wrongFlag = await place.run("--store", "nowhere");
  assert.equal(wrongFlag.code, 64);
});

Deno.test("check --json prints one object a line, and the code tells a missing right", async () => {
  await using fauxqs = await fauxqsServer("feed-sync");
  const { endpoint, ...keys } = fauxqs;
  const { region, accessKeyId, secretAccessKey } = keys;
  const store = "s3://feed-sync/prod";
  await using owner = await openStore(store, { endpoint, region, accessKeyId, secretAccessKey });
  await owner.put("tail/a", new Uint8Array([1]));
  await using proxy = httpProxy(
    endpoint,
    (request, forward) =>
      request.method === "PUT" ? Promise.resolve(s3Failure(403, "AccessDenied")) : forward(),
  );
  const s3 = { endpoint: proxy.endpoint, region, accessKeyId, secretAccessKey };
  await using place = await home({ store, s3 });
  const { code, json, stderr } = await place.run("--json");
  assert.deepEqual([code, stderr], [77, ""]);
  const wrong = json().filter(({ level }) => level === "error");
  assert.deepEqual(wrong.map(({ check, error, advice }) => [check, error, advice]), [[
    "rights",
    "AccessDeniedError",
    "Without the right to write (s3:PutObject), nothing can be published, nor does `status` show " +
    "this server",
  ]]);
});
