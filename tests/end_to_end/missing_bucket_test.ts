/** A bucket that does not exist yet, or whose name is mistyped. */
import assert from "node:assert/strict";
import { feedsync, workspace } from "../cli/feedsync.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";

Deno.test("commands that read take a missing bucket for an empty one; publish creates it and says so", async () => {
  await using service = await fauxqsServer();
  const { endpoint, region, accessKeyId, secretAccessKey } = service;
  const config = { store: "s3://mistyped", s3: { endpoint, region, accessKeyId, secretAccessKey } };
  await using home = await workspace({ "feedsync.json": JSON.stringify(config) });
  const run = (...args: string[]) => feedsync(args, { cwd: home.path, stdin: "content" });
  const isThere = async () => {
    const { status, body } = await fetch(`${endpoint}/mistyped`);
    await body?.cancel();
    return status === 200;
  };
  const readers = [
    ["watch", "--once", "--server", "web-2"],
    ["tail", "--once"],
    ["cleanup"],
    ["cleanup", "--dry-run"],
  ];
  for (const args of readers) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/warn .*There is no bucket mistyped/g)?.length, 1, stderr);
  }
  assert.equal(await isThere(), false);

  const published = await run("publish", "https://example.com/1", "-", "--server", "web-1");
  assert.equal(published.code, 0, published.stderr);
  assert.match(published.stderr, /warn .*Created the bucket mistyped, which was missing/);
  assert.equal(await isThere(), true);
  const watched = await run("watch", "--once", "--server", "web-2");
  assert.match(watched.stdout, /example\.com\/1/);
  assert.doesNotMatch(watched.stderr, /warn/);
});
