/** Two services that have a bucket of the same name. */
import assert from "node:assert/strict";
import { feedsync, workspace } from "../cli/feedsync.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";

Deno.test("what is in a bucket says nothing about one of the same name at another endpoint", async () => {
  await using old = await fauxqsServer("feeds");
  await using other = await fauxqsServer("feeds");
  const { region, accessKeyId, secretAccessKey } = old;
  const config = { store: "s3://feeds", s3: { region, accessKeyId, secretAccessKey } };
  await using home = await workspace({ "feedsync.json": JSON.stringify(config) });
  const publish = (endpoint: string, env = {}) =>
    feedsync(["publish", "https://example.com/1", "-", "--if-changed", "--server", "web-1"], {
      cwd: home.path,
      stdin: "content",
      env: { FEEDSYNC_S3_ENDPOINT: endpoint, ...env },
    });
  const first = await publish(old.endpoint);
  assert.equal(first.code, 0, first.stderr);
  const again = await publish(old.endpoint);
  assert.match(again.stdout + again.stderr, /unchanged/);

  const { code, stdout, stderr } = await publish(other.endpoint);
  assert.equal(code, 78, stderr);
  assert.doesNotMatch(stdout + stderr, /unchanged/);
  const { host } = new URL(old.endpoint);
  assert.match(stderr, new RegExp(`it belongs to ${host}; choose another file, or, .*movedFrom`));

  const moved = await publish(other.endpoint, { FEEDSYNC_MOVED_FROM: old.endpoint });
  assert.equal(moved.code, 0, moved.stderr);
  assert.match(moved.stdout + moved.stderr, /unchanged/, "what was there is said to be here now");
});
