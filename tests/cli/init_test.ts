import assert from "node:assert/strict";
import { join } from "node:path";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { httpProxy, s3Failure } from "../servers/http.ts";
import { feedsync, type Outcome, workspace } from "./feedsync.ts";

const SECRET = "a-very-secret-key";

/** A directory in which `feedsync init` runs, with access keys in the environment. */
async function home(files: Record<string, string> = {}) {
  const { path, [Symbol.asyncDispose]: remove } = await workspace(files);
  const env = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: SECRET };
  return {
    path,
    run: (...args: string[]): Promise<Outcome> =>
      feedsync(args, { cwd: path, env, stdin: "content" }),
    read: (file = "feedsync.json") => Deno.readTextFile(join(path, file)),
    /** The files in it, without those of the state. */
    files: () => Array.from(Deno.readDirSync(path), ({ name }) => name).sort(),
    [Symbol.asyncDispose]: remove,
  };
}

async function hasBucket(endpoint: string, name: string): Promise<boolean> {
  const { status, body } = await fetch(`${endpoint}/${name}`);
  await body?.cancel();
  return status === 200;
}

Deno.test("init makes the bucket, and writes a configuration without access keys, with which all works", async () => {
  await using service = await fauxqsServer();
  const { endpoint, region } = service;
  await using place = await home();
  const flags = ["--store", "s3://feed-sync/prod", "--endpoint", endpoint, "--region", region];
  const made = await place.run("init", ...flags, "--server", "web-1");
  assert.deepEqual([made.code, made.stderr], [0, ""], made.stdout);
  assert.match(made.stdout, /✓ The bucket of the store s3:\/\/feed-sync\/prod is made\n/);
  assert.match(made.stdout, /✓ The right to write is given\n/);
  assert.match(made.stdout, /✓ The configuration is written to .*feedsync\.json\. It holds no acc/);
  const written = await place.read();
  const s3 = { endpoint, region };
  assert.deepEqual(JSON.parse(written), { server: "web-1", store: "s3://feed-sync/prod", s3 });
  assert.deepEqual(place.files(), ["feedsync.json"]);

  const published = await place.run("publish", "https://example.com/1", "-");
  assert.equal(published.code, 0, published.stderr);
  const again = await place.run("init", ...flags);
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.match(again.stdout, /✓ The bucket of the store s3:\/\/feed-sync\/prod is there\n/);
  assert.equal(await place.read(), written);
});

Deno.test("init takes a configuration file that is there, and never changes it", async () => {
  await using service = await fauxqsServer();
  const { endpoint, region } = service;
  const text = `{ // Ours.\n "store": "s3://feed-sync", "s3": ${
    JSON.stringify({ endpoint, region })
  } }`;
  await using place = await home({ "feedsync.jsonc": text });
  const other = await place.run("init", "--store", "s3://other");
  assert.equal(other.code, 78, other.stdout);
  assert.match(
    other.stderr,
    /feedsync\.jsonc is there already, with which 'store' is s3:\/\/feed-sync; change that there/,
  );
  const named = await place.run("init", "--server", "web-7");
  assert.match(named.stderr, /with which 'server' is /);
  assert.deepEqual(
    [await hasBucket(endpoint, "other"), await hasBucket(endpoint, "feed-sync")],
    [false, false],
  );
  const { code, stdout } = await place.run("init", "-q");
  assert.deepEqual([code, stdout, await hasBucket(endpoint, "feed-sync")], [0, "", true]);
  assert.deepEqual(place.files(), ["feedsync.jsonc"]);
  assert.equal(await place.read("feedsync.jsonc"), text);
});

Deno.test("init writes nothing while something is wrong, and can be run again once it is mended", async () => {
  await using service = await fauxqsServer();
  let isDenied = true;
  await using proxy = httpProxy(
    service.endpoint,
    ({ method, url }, forward) =>
      isDenied && method === "PUT" && new URL(url).pathname.endsWith("/probe")
        ? Promise.resolve(s3Failure(403, "AccessDenied"))
        : forward(),
  );
  await using place = await home();
  const flags = ["--store", "s3://feed-sync", "--endpoint", proxy.endpoint];
  const init = () => place.run("init", ...flags, "--region", "us-east-1");
  const denied = await init();
  assert.equal(denied.code, 77, denied.stdout);
  assert.match(denied.stdout, /! .*feedsync\.json is not written\n {2}→ Mend what is wrong/);
  assert.deepEqual(place.files(), []);
  isDenied = false;
  const mended = await init();
  assert.equal(mended.code, 0, mended.stdout);
  assert.deepEqual(place.files(), ["feedsync.json"]);
});

Deno.test("init says what is wrong with flags before it makes anything", async () => {
  await using service = await fauxqsServer();
  const { endpoint } = service;
  await using place = await home({ "deno.json": "{}" });
  const store = ["--store", "s3://feed-sync", "--region", "us-east-1"];
  const wrong: [args: string[], says: RegExp][] = [
    [[], /--store is missing: name the bucket/],
    [["--store", "feed-sync"], /--store must look like/],
    [[...store, "--endpoint", `https://id:${SECRET}@host`], /--endpoint must be an http/],
    [[...store, "--endpoint", endpoint, "--regoin", "x"], /Unknown flag --regoin, did you mean/],
    [[...store, "--endpoint", endpoint, "--config", "new/deno.json"], /into a file of Deno; name/],
  ];
  for (const [args, says] of wrong) {
    const { code, stderr } = await place.run("init", ...args);
    assert.equal(code, 64, stderr);
    assert.match(stderr, says);
    assert.ok(!stderr.includes(SECRET), stderr);
  }
  assert.deepEqual(place.files(), ["deno.json"]);
  assert.equal(await hasBucket(endpoint, "feed-sync"), false);
});

Deno.test("without flags for a file, init only makes the bucket that the environment names", async () => {
  await using service = await fauxqsServer();
  await using directory = await workspace();
  const { code, stdout } = await feedsync(["init"], {
    cwd: directory.path,
    env: {
      FEEDSYNC_STORE: "s3://feed-sync",
      FEEDSYNC_S3_ENDPOINT: service.endpoint,
      FEEDSYNC_S3_REGION: "us-east-1",
      FEEDSYNC_S3_ACCESS_KEY_ID: "test",
      FEEDSYNC_S3_SECRET_ACCESS_KEY: SECRET,
    },
  });
  assert.equal(code, 0, stdout);
  assert.equal(await hasBucket(service.endpoint, "feed-sync"), true);
  assert.deepEqual([...Deno.readDirSync(directory.path)], []);
});

Deno.test("init makes a directory, too, and paths in the file lead where those of the flags did", async () => {
  await using place = await home();
  await Deno.mkdir(join(place.path, "etc"));
  const config = ["--config", "etc/ours.json"];
  const made = await place.run("init", ...config, "--store", "file:disk/store");
  assert.equal(made.code, 0, made.stdout + made.stderr);
  assert.match(made.stdout, /✓ The directory of the store file:.*\/disk\/store is made\n/);
  assert.deepEqual(JSON.parse(await place.read("etc/ours.json")), {
    store: `file:${await Deno.realPath(place.path)}/disk/store`,
  });
  const again = await place.run("init", ...config, "--store", "file:disk/store", "-q");
  assert.equal(again.code, 0, again.stdout + again.stderr);
});
