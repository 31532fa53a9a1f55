import assert from "node:assert/strict";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { lineOf } from "../hostile/values.ts";
import { feedsync, type RunOptions, workspace } from "./feedsync.ts";

const CONFIG = { store: "file:store", server: "web-1", logLevel: "warn" };

/** A store in which web-1 has published so many updates, each in a commit of its own. */
async function published(count: number) {
  const home = await workspace({ "feedsync.json": JSON.stringify(CONFIG) });
  const cwd = home.path;
  const cliWith = (options: Partial<RunOptions>, ...args: string[]) =>
    feedsync(args, { cwd, ...options });
  const cli = (...args: string[]) => cliWith({}, ...args);
  const run = (...args: string[]) => cli("objects", ...args);
  for (let i = 1; i <= count; i++) {
    const args = ["publish", `https://example.com/${i}`, "-"];
    assert.equal((await feedsync(args, { cwd, stdin: `content ${i}` })).code, 0);
  }
  const keys = (await run("list", "--json")).json().map(({ key }) => String(key)).toSorted();
  const pathOf = (key: string) => join(cwd, "store", key);
  return {
    run,
    cli,
    cliWith,
    keys,
    pathOf,
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

Deno.test("objects list shows what each object is, also foreign ones, and needs no state", async () => {
  await using store = await published(2);
  await Deno.writeTextFile(store.pathOf("notes.txt"), "hello");
  const { code, stdout } = await store.run("list", "--server", "web-9");
  assert.equal(code, 0);
  assert.match(stdout, /^commit {5}\S+Z +\d+ +web-1 1 +tail\/web-1_\w{8}\/0{15}1\.1\.\w{8}$/m);
  assert.match(stdout, /^foreign {4}\S+Z {12}5 +- +notes\.txt$/m);
  const foreign = (await store.run("list", "--foreign", "--json")).json();
  assert.deepEqual(foreign.map(({ key, kind, size }) => [key, kind, size]), [
    ["notes.txt", "foreign", 5],
  ]);
  const below = (await store.run("list", "tail/", "--json")).json();
  assert.deepEqual(
    below.map(({ kind, server, first, last }) => [kind, server, first, last]),
    [["commit", "web-1", 1, 1], ["commit", "web-1", 2, 2]],
  );
});

Deno.test("objects show prints the updates of an object, and their content on request", async () => {
  await using store = await published(1);
  const [key] = store.keys;
  const { code, stdout } = await store.run("show", key);
  assert.equal(code, 0);
  assert.match(stdout, /^readable +yes$/m);
  assert.match(stdout, /^1 {2}\S+Z {2}[-0-9a-f]{36} {2}9 {2}https:\/\/example\.com\/1$/m);
  assert.doesNotMatch(stdout, /content 1/);
  const full = await store.run("show", key, "--content");
  assert.match(full.stdout, /^\{"content":"content 1","metadata":\{\}\}$/m);
  const [{ readable, updates }] = (await store.run("show", key, "--json", "--content")).json();
  const [{ seq, url, bytes, content }] = updates as Record<string, unknown>[];
  assert.deepEqual([readable, seq, url, bytes], [true, 1, "https://example.com/1", 9]);
  assert.equal(content, "content 1");
  assert.equal(
    (await store.run("show", `file:${store.pathOf(key)}`)).code,
    0,
    "the URL is as good",
  );
});

Deno.test("what is hostile in an object does not reach the terminal", async () => {
  await using store = await published(1);
  const [key] = store.keys, [, stream, rest] = key.split("/"), writer = rest.split(".")[2];
  const evil = "\\u001b[2J\\u202e", url = `"https://example.com/${evil}"`;
  const header = `{"feedsync":1,"stream":"${stream}","first":1,"count":1,"writer":"${writer}"`;
  const line = lineOf(1, { url, content: `"${evil}"`, metadata: `{"${evil}":1}` });
  const text = `${header},"note":"${evil}"}\n${line}\n`;
  await Deno.writeFile(store.pathOf(key), zstdCompressSync(text));
  for (const flags of [[], ["--content"], ["--json", "--content"]]) {
    const { stdout, stderr } = await store.run("show", key, ...flags);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    assert.match(stdout, /\\u001b\[2J\\u202e/);
  }
});

Deno.test("objects drop deletes what can be read only with --force, and says what it means", async () => {
  await using store = await published(3);
  const [, key, last] = store.keys;
  const refused = await store.run("drop", key);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /it can be read\. Servers that have not read it report a gap, update 2/,
  );
  const dry = await store.run("drop", key, "--force", "--dry-run");
  assert.equal(dry.code, 0);
  assert.match(dry.stdout, new RegExp(`^would drop ${key}$`, "m"));
  assert.ok(await Deno.stat(store.pathOf(key)));
  const forced = await store.run("drop", key, "--force", "--json");
  assert.equal(forced.json()[0].status, "dropped", forced.stderr);
  await assert.rejects(Deno.stat(store.pathOf(key)), Deno.errors.NotFound);
  const end = await store.run("drop", last, "--force", "--dry-run");
  assert.match(end.stdout, /web-1 begins a new stream/);
});

Deno.test("objects drop keeps what others may be able to read, and drops what nobody can", async () => {
  await using store = await published(2);
  const [newer, damaged] = store.keys;
  await Deno.writeFile(store.pathOf(newer), zstdCompressSync('{"feedsync":9}\n'));
  await Deno.writeTextFile(store.pathOf(damaged), "garbage");
  await Deno.writeTextFile(store.pathOf("notes.txt"), "hello");
  const refused = await store.run("drop", newer);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /this server cannot read it, but others may: .*upgrade feedsync/);
  assert.equal((await store.run("drop", damaged, "notes.txt")).code, 0);
  assert.deepEqual((await store.run("list", "--json")).json().map(({ key }) => key), [newer]);
});

Deno.test("objects drop keeps what only servers without keys, or with other keys, can read", async () => {
  await using store = await published(1);
  const [key] = store.keys;
  assert.equal((await store.cli("keygen", "a.json")).code, 0);
  const env = { FEEDSYNC_ENCRYPTION_KEYS: "a.json" };
  const plain = await store.cliWith({ env }, "objects", "drop", key);
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /others may: .*it is not encrypted: a server without keys wrote it/);
  const publish = ["publish", "https://example.com/2"];
  assert.equal(
    (await store.cliWith({
      env: { ...env, FEEDSYNC_ENCRYPTION_ALLOW_PLAINTEXT: "true" },
      stdin: "b",
    }, ...publish)).code,
    0,
  );
  const [, sealed] = (await store.run("list", "--json")).json().map(({ key }) => String(key));
  const locked = await store.run("show", sealed);
  assert.equal(locked.code, 1);
  assert.match(
    locked.stdout,
    /^key id +"[\w.-]+"\n(.*\n)*readable +no, locked: .*no keys are configured/m,
  );
  assert.equal((await store.run("drop", sealed)).code, 1);
  assert.equal((await store.run("drop", sealed, "--force")).code, 0);
});

Deno.test("objects takes only keys in the store, and the flags of the action", async () => {
  await using store = await published(0);
  const cases: [string[], number, RegExp][] = [
    [["drop", "../secret"], 64, /keys are below file:.*store/],
    [["drop", "s3://other/tail/x"], 64, /keys are below/],
    [["list", "../"], 64, /keys are below/],
    [["drop", "tail/x"], 65, /no object tail\/x in file:/],
    [["drop"], 64, /KEY is missing/],
    [["show", "a", "b"], 64, /Unexpected argument "b"/],
    [["show", "a", "--force"], 64, /--force is of drop only/],
    [["remove", "a"], 64, /Unknown action "remove"/],
  ];
  for (const [args, code, message] of cases) {
    const outcome = await store.run(...args);
    assert.equal(outcome.code, code, args.join(" "));
    assert.match(outcome.stderr, message);
  }
});
