import assert from "node:assert/strict";
import { join } from "node:path";
import {
  addNamesKey,
  changeNamesKey,
  dropKey,
  makeKeyFile,
} from "../../../lib/log/encryption/edit_keys.ts";
import { KeyFile } from "../../../lib/log/encryption/key_file.ts";
import { ConfigError } from "../../../lib/errors.ts";
import { Keys } from "../../encryption/keys.ts";

function onUnix(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn });
}

/** Runs `work` and returns the modes that files had at the moment at which they were made. */
async function modesOf(work: () => Promise<unknown>): Promise<number[]> {
  const modes: number[] = [];
  const { open } = Deno, umask = Deno.umask(0);
  Deno.open = async (path, options) => {
    const file = await open(path, options);
    if (options?.createNew) modes.push((await file.stat()).mode! & 0o777);
    return file;
  };
  try {
    await work();
    return modes;
  } finally {
    Deno.open = open;
    Deno.umask(umask);
  }
}

onUnix("nobody else can read a key file, not for a moment", async () => {
  await using keys = new Keys();
  assert.deepEqual(await modesOf(() => makeKeyFile(keys.path)), [0o600]);
  assert.deepEqual(await modesOf(() => keys.add()), [0o600]);
  assert.equal(Deno.statSync(keys.path).mode! & 0o777, 0o600);
});

Deno.test("a key file is never overwritten, also when two are made at once", async () => {
  await using keys = new Keys();
  const made = await Promise.allSettled([1, 2, 3, 4].map(() => makeKeyFile(keys.path)));
  assert.equal(made.filter(({ status }) => status === "fulfilled").length, 1);
  const text = await keys.text();
  await assert.rejects(makeKeyFile(keys.path), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /it exists \(--add adds a key to it\)/);
    return true;
  });
  assert.equal(await keys.text(), text);
  assert.equal([...Deno.readDirSync(keys.directory)].length, 1, "nothing is left over");
});

Deno.test("keys are 32 random bytes each, under an id of their own", async () => {
  await using keys = await Keys.make();
  await keys.add();
  const { keys: [one, two], names } = JSON.parse(await keys.text());
  assert.deepEqual([one.alg, one.use, names.alg, names.use], ["A256GCM", "enc", "HS256", "sig"]);
  for (const key of [one, two, names]) {
    assert.deepEqual(Object.keys(key), ["kty", "k", "alg", "kid", "use"]);
    assert.match(key.k, /^[\w-]{43}$/);
  }
  assert.equal(new Set([one.k, two.k, names.k]).size, 3);
  assert.equal(new Set([one.kid, two.kid, names.kid]).size, 3);
});

Deno.test("a key is added as the last, made the first, and dropped unless it encrypts", async () => {
  await using keys = await Keys.make();
  const [old] = await keys.kids();
  const added = await keys.add();
  assert.deepEqual(await keys.kids(), [old, added]);
  await assert.rejects(keys.drop(old), /it is the first key, which encrypts/);
  await keys.putFirst(added);
  assert.deepEqual(await keys.kids(), [added, old]);
  await keys.drop(old);
  assert.deepEqual(await keys.kids(), [added]);
  await assert.rejects(keys.drop(added), /it is the first/);
  await assert.rejects(keys.putFirst(old), new RegExp(`there is only "${added}"|did you mean`));
  assert.deepEqual(await keys.kids(), [added]);
  await KeyFile.open(keys.path);
});

Deno.test("no change of the keys adds a names key, or changes the one that is there", async () => {
  await using keys = await Keys.make();
  const namesIn = async () => JSON.parse(await keys.text()).names;
  const names = await namesIn();
  const change = async () => {
    const [old] = await keys.kids();
    await keys.putFirst(await keys.add());
    await keys.drop(old);
  };
  await change();
  assert.deepEqual(await namesIn(), names);
  await keys.dropNamesKey();
  await change();
  assert.equal(await namesIn(), undefined);
});

Deno.test("a names key is added to a file that has none, and to no other", async () => {
  await using keys = await Keys.make();
  const made = await keys.text();
  await assert.rejects(addNamesKey(keys.path), /it has one; copy the file to the servers/);
  assert.equal(await keys.text(), made);
  await keys.dropNamesKey();
  const kids = await keys.kids();
  const added = await addNamesKey(keys.path);
  assert.deepEqual(added.keys, kids);
  const set = JSON.parse(await keys.text());
  assert.equal(set.names.kid, added.namesKey);
  assert.deepEqual(set.keys, JSON.parse(made).keys);
  await KeyFile.open(keys.path);
});

Deno.test("a new names key takes the place of the one there is, which stays until it is dropped", async () => {
  await using keys = await Keys.make();
  const read = async () => JSON.parse(await keys.text());
  const { names: first, keys: [{ kid }] } = await read();
  const { namesKey } = await changeNamesKey(keys.path);
  await changeNamesKey(keys.path);
  const { names, formerNames } = await read();
  assert.deepEqual(formerNames.map((key: { kid: string }) => key.kid), [namesKey, first.kid]);
  assert.deepEqual(formerNames[1], first);
  await KeyFile.open(keys.path);
  await assert.rejects(dropKey(keys.path, names.kid), /it is the names key; replace it first/);
  assert.deepEqual(await dropKey(keys.path, first.kid), [kid]);
  assert.deepEqual((await read()).formerNames.length, 1);
  await keys.dropNamesKey();
  await assert.rejects(changeNamesKey(keys.path), /it has none \(--names adds one\)/);
});

onUnix("a change leaves what else is in the file, and the link that leads to it", async () => {
  await using keys = await Keys.make();
  const set = JSON.parse(await keys.text());
  await keys.write(JSON.stringify({ ...set, comment: "ours", keys: [{ ...set.keys[0], x: 1 }] }));
  const link = join(keys.directory, "link");
  await Deno.symlink(keys.path, link);
  const { addKey } = await import("../../../lib/log/encryption/edit_keys.ts");
  await addKey(link);
  assert.ok((await Deno.lstat(link)).isSymlink);
  const changed = JSON.parse(await keys.text());
  assert.equal(changed.comment, "ours");
  assert.equal(changed.keys[0].x, 1);
  assert.equal(changed.keys.length, 2);
});
