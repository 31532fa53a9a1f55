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

  assert.equal((await run("--drop", old, "--rekeyed", "keys.json")).code, 78);
  assert.equal((await run("--first", kids[1], "keys.json")).code, 0);
  const early = await run("--drop", old, "keys.json");
  assert.equal(early.code, 64);
  assert.match(early.stderr, /--drop needs --rekeyed: .* `feedsync rekey`.* until it reports 0/);
  const dropped = await run("--drop", old, "--rekeyed", "keys.json");
  assert.equal(dropped.stdout, `dropped ${old} from keys.json\n`);
  assert.deepEqual(keys().map(({ kid }) => kid), [kids[1]]);

  const { names, ...set } = JSON.parse(Deno.readTextFileSync(`${home.path}/keys.json`));
  const refused = await run("--names", "keys.json");
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /Cannot add a names key to keys\.json: it has one/);
  Deno.writeTextFileSync(`${home.path}/keys.json`, JSON.stringify(set));
  const named = await run("--names", "keys.json");
  const { names: addedNames } = JSON.parse(Deno.readTextFileSync(`${home.path}/keys.json`));
  assert.equal(named.stdout, `added the names key ${addedNames.kid} to keys.json\n`);
  const renamed = await run("--change-names", "keys.json");
  const { names: newNames, formerNames } = JSON.parse(
    Deno.readTextFileSync(`${home.path}/keys.json`),
  );
  assert.equal(renamed.stdout, `${newNames.kid} is now the names key in keys.json\n`);
  assert.deepEqual(formerNames, [addedNames]);
  assert.equal((await run("--drop", newNames.kid, "--rekeyed", "keys.json")).code, 78);
  assert.equal((await run("--drop", addedNames.kid, "--rekeyed", "keys.json")).code, 0);

  assert.equal((await run("--add", "--first", old, "keys.json")).code, 64);
  assert.equal((await run("--add", "--names", "keys.json")).code, 64);
  assert.equal((await run()).code, 64);
  for (const { k } of [...keys(), names, addedNames]) assert.ok(!runs.join("").includes(k));
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

  const { names: _, ...old } = JSON.parse(Deno.readTextFileSync(`${home.path}/keys.json`));
  Deno.writeTextFileSync(`${home.path}/keys.json`, JSON.stringify(old));
  const nameless = await feedsync(["tail", "--once"], options);
  assert.equal(nameless.code, 78);
  assert.match(nameless.stderr, /no names key; run feedsync keygen --names \S*keys\.json on one/);

  const plain = await feedsync(["tail", "--once", "--from", "now"], { cwd: home.path });
  assert.equal(plain.code, 78);
  assert.match(
    plain.stderr,
    /no keys are configured: set 'encryption.keys', or FEEDSYNC_ENCRYPTION_KEYS/,
  );
  assert.equal(plain.stdout, "");
});
