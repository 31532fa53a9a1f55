import assert from "node:assert/strict";
import { join } from "node:path";
import { feedsync, workspace } from "./feedsync.ts";

const DAY = 24 * 60 * 60 * 1000;
const KEYS = "feedsync.keys.json";

/** Lets everything in the store look so many days old. */
async function setAge(directory: string, days: number): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isDirectory) await setAge(path, days);
    else await Deno.utime(path, new Date(), new Date(Date.now() - days * DAY));
  }
}

Deno.test("rekey encrypts with the first key what cleanup has kept, and says when nothing is left", async () => {
  await using home = await workspace();
  const env = { FEEDSYNC_ENCRYPTION_KEYS: KEYS, FEEDSYNC_STORE: "file:store" };
  const run = async (
    args: string[],
    { stdin, code = 0 }: { stdin?: string; code?: number } = {},
  ) => {
    const outcome = await feedsync([...args, "--quiet"], { cwd: home.path, env, stdin });
    assert.equal(outcome.code, code, outcome.stderr);
    return outcome;
  };
  await run(["keygen", KEYS]);
  await run(["publish", "https://example.com/", "-"], { stdin: "<rss/>" });
  await setAge(join(home.path, "store"), 0.9);
  const would = await run(["cleanup", "--max-age", "10h", "--dry-run"]);
  assert.match(
    would.stdout,
    /^tail\/.*\nwould delete 1 objects .*\nwould move 1 updates to newest\//,
  );
  const { stdout } = await run(["cleanup", "--max-age", "10h"]);
  assert.match(
    stdout,
    /^deleted 1 objects \(\d+ bytes\), kept 0\nmoved 1 updates to newest\/ and deleted 0 older ones there; newest\/ holds 1 \(\d+ bytes\)\n$/,
  );
  const [old, added] = (await run(["keygen", "--add", KEYS, "--json"])).json()[0].keys as string[];
  await run(["keygen", "--first", added, KEYS]);
  assert.equal((await run(["rekey", "--dry-run"])).stdout, "would rekey 1 of 1 objects\n");
  assert.deepEqual((await run(["rekey", "--json"])).json(), [{
    examined: 1,
    rekeyed: 1,
    failed: 0,
  }]);
  assert.equal((await run(["rekey"])).stdout, "rekeyed 0 of 1 objects\n");
  await run(["keygen", "--drop", old, "--rekeyed", KEYS]);
  assert.equal((await run(["rekey"])).stdout, "rekeyed 0 of 1 objects\n");
  await run(["keygen", "other.json"]);
  env.FEEDSYNC_ENCRYPTION_KEYS = "other.json";
  const lost = await run(["rekey"], { code: 78 });
  assert.equal(lost.stdout, "rekeyed 0 of 1 objects, 1 failed\n");
  assert.match(lost.stderr, /is encrypted with the key/);
});

Deno.test("rekey without keys says what to set", async () => {
  await using home = await workspace();
  const { code, stderr } = await feedsync(["rekey"], { cwd: home.path });
  assert.equal(code, 78);
  assert.match(stderr, /Cannot rekey: no keys are configured; set 'encryption\.keys'/);
});
