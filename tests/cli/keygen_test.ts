import assert from "node:assert/strict";
import { feedsync, workspace } from "./feedsync.ts";

Deno.test("keygen makes and changes keys, and prints none", async () => {
  await using home = await workspace();
  const options = { cwd: home.path };
  const keys = (): { k: string; kid: string }[] =>
    JSON.parse(Deno.readTextFileSync(`${home.path}/keys.json`)).keys;
  const runs: string[] = [];
  const run = async (...args: string[]) => {
    const outcome = await feedsync(["keygen", ...args], options);
    runs.push(outcome.stdout, outcome.stderr);
    return outcome;
  };
  const made = await run("keys.json");
  assert.equal(made.code, 0, made.stderr);
  const [{ kid: old }] = keys();
  assert.equal(made.stdout, `wrote ${old} to keys.json\n`);

  const again = await run("keys.json");
  assert.equal(again.code, 78);
  assert.match(again.stderr, /it exists \(--add adds a key to it\)/);

  const added = await run("--add", "keys.json", "--json");
  const kids = keys().map(({ kid }) => kid);
  assert.deepEqual(added.json(), [{ file: "keys.json", keys: kids }]);
  assert.equal(kids[0], old);

  assert.equal((await run("--drop", old, "keys.json")).code, 78);
  assert.equal((await run("--first", kids[1], "keys.json")).code, 0);
  const dropped = await run("--drop", old, "keys.json");
  assert.equal(dropped.stdout, `dropped ${old} from keys.json\n`);
  assert.deepEqual(keys().map(({ kid }) => kid), [kids[1]]);

  assert.equal((await run("--add", "--first", old, "keys.json")).code, 64);
  assert.equal((await run()).code, 64);
  assert.ok(!runs.join("").includes(keys()[0].k));
});

Deno.test("a server without the right keys says what to do, and ends with a code that tells", async () => {
  await using home = await workspace();
  const options = { cwd: home.path, env: { FEEDSYNC_ENCRYPTION_KEYS: "keys.json" } };
  const missing = await feedsync(["tail", "--once"], options);
  assert.equal(missing.code, 78);
  assert.match(missing.stderr, /keys\.json: it does not exist; feedsync keygen makes one/);

  assert.equal((await feedsync(["keygen", "keys.json"], options)).code, 0);
  const publish = ["publish", "https://example.com/", "--server", "web-1", "-q"];
  assert.equal((await feedsync(publish, { ...options, stdin: "secret" })).code, 0);
  const [update] = (await feedsync(["tail", "--once", "-q"], options)).json();
  assert.equal(update.content, "secret");

  const plain = await feedsync(["tail", "--once", "--from", "now"], { cwd: home.path });
  assert.equal(plain.code, 78);
  assert.match(
    plain.stderr,
    /no keys are configured: set 'encryption.keys', or FEEDSYNC_ENCRYPTION_KEYS/,
  );
  assert.equal(plain.stdout, "");
});
