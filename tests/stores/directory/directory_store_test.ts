import assert from "node:assert/strict";
import { join } from "node:path";
import { BucketLog } from "../../../lib/log/bucket_log.ts";
import { cleanUp, problemsOf } from "../../../lib/retention/clean_up.ts";
import { systemEnvironment } from "../../../lib/base/environment.ts";
import { AccessDeniedError, StoreUnavailableError } from "../../../lib/errors.ts";
import { openDirectoryStore } from "../../../lib/stores/directory/directory_store.ts";
import { directoryError } from "../../../lib/stores/directory/errors.ts";
import { bytes, keys, list, plain } from "../contract.ts";

/** A directory that is deleted at the end of the test. */
interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await Deno.makeTempDir({ prefix: "feedsync store " });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }).catch(() => {}),
  };
}

Deno.test("readers never see a part of an object", async () => {
  await using directory = await temporaryDirectory();
  await using writer = openDirectoryStore(directory.path);
  await using reader = openDirectoryStore(directory.path);
  const body = new Uint8Array(4 * 1024 * 1024).fill(1);
  let isWriting = true;
  const writing = (async () => {
    for (let i = 0; i < 5; i++) await writer.put("tail/a", body);
    isWriting = false;
  })();
  while (isWriting) {
    const read = await reader.get("tail/a");
    assert.ok(read === undefined || read.length === body.length);
    for (const { size } of await list(reader, "")) assert.equal(size, body.length);
  }
  await writing;
});

Deno.test("a put that fails leaves nothing behind", async () => {
  await using directory = await temporaryDirectory();
  await using store = openDirectoryStore(directory.path);
  await store.put("a/b", bytes("x"));
  await assert.rejects(store.put("a", bytes("y")), AccessDeniedError);
  assert.deepEqual(await names(join(directory.path, ".tmp")), []);
  assert.deepEqual(await keys(store, ""), ["a/b"]);
});

Deno.test("listings leave out what is not an object", async () => {
  await using directory = await temporaryDirectory();
  await using store = openDirectoryStore(directory.path);
  await store.put("tail/a", bytes("x"));
  await Deno.symlink(join(directory.path, "tail", "a"), join(directory.path, "tail", "b"));
  await Deno.symlink(directory.path, join(directory.path, "tail", "c"));
  await Deno.mkdir(join(directory.path, "tail", "empty"));
  await Deno.writeTextFile(join(directory.path, "tail", ".DS_Store"), "x");
  await Deno.writeTextFile(join(directory.path, ".tmp", "unfinished"), "x");
  assert.deepEqual(await keys(store, ""), ["tail/a"]);
  assert.equal(await store.get("tail"), undefined);
  assert.deepEqual(await store.delete(["tail"]), []);
  assert.deepEqual(await keys(store, ""), ["tail/a"]);
});

Deno.test("what a look at a file misses is listed nevertheless, and never old enough to be deleted", async () => {
  await using directory = await temporaryDirectory();
  await using store = openDirectoryStore(directory.path);
  const all = Array.from({ length: 300 }, (_, i) => `tail/s/${String(i).padStart(3, "0")}`);
  for (const key of all) await store.put(key, bytes("x"));
  const listed = new Map<string, number | undefined>();
  for await (const { key, lastModified } of store.list("tail/")) {
    // As on a network, where a directory and its files are remembered apart.
    if (listed.size === 0) await Deno.remove(join(directory.path, "tail"), { recursive: true });
    listed.set(key, lastModified);
  }
  assert.deepEqual([...listed.keys()], all);
  assert.equal(listed.get(all[299]), undefined, "it has no age");
});

Deno.test("a directory that was removed is made again", async () => {
  await using directory = await temporaryDirectory();
  await using store = openDirectoryStore(join(directory.path, "a", "b"));
  await store.put("tail/s/1", bytes("x"));
  await Deno.remove(join(directory.path, "a"), { recursive: true });
  assert.deepEqual(await list(store, ""), []);
  assert.equal(await store.get("tail/s/1"), undefined);
  await store.put("tail/s/2", bytes("x"));
  assert.deepEqual(await keys(store, ""), ["tail/s/2"]);
});

Deno.test("what crashed processes left is removed once it is old", async () => {
  await using directory = await temporaryDirectory();
  const temporary = join(directory.path, ".tmp");
  await Deno.mkdir(temporary);
  for (const [name, age] of [["old", 2 * 60 * 60], ["young", 60]] as const) {
    await Deno.writeTextFile(join(temporary, name), "half");
    const time = Date.now() / 1_000 - age;
    await Deno.utime(join(temporary, name), time, time);
  }
  await using store = openDirectoryStore(directory.path);
  await store.put("a", bytes("x"));
  assert.deepEqual(await names(temporary), ["young"]);
});

Deno.test("a directory of 20,000 objects is listed", async () => {
  await using directory = await temporaryDirectory();
  const stream = join(directory.path, "segments", "s");
  await Deno.mkdir(stream, { recursive: true });
  for (let i = 0; i < 20_000; i++) {
    Deno.writeTextFileSync(join(stream, String(i).padStart(16, "0")), "");
  }
  await using store = openDirectoryStore(directory.path);
  let previous = "";
  let count = 0;
  for await (const { key } of store.list("segments/")) {
    assert.ok(key > previous);
    previous = key;
    count++;
  }
  assert.equal(count, 20_000);
  assert.equal(store.requests.list, 20);
  const startAfter = `segments/s/${"19997".padStart(16, "0")}`;
  assert.equal((await list(store, "segments/s/", { startAfter })).length, 2);
});

Deno.test("a file in the place of the directory is told, with what to do", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "file");
  await Deno.writeTextFile(path, "x");
  await using store = openDirectoryStore(path);
  for (const operation of [() => store.put("a", bytes("x")), () => list(store, "")]) {
    await assert.rejects(operation, (error) => {
      assert.ok(error instanceof AccessDeniedError);
      assert.ok(error.message.startsWith(`Access denied to the store file:${path} while `));
      assert.match(error.message, /a file has that name; choose another directory$/);
      return true;
    });
  }
});

Deno.test("a full disk is told, with what to do", async () => {
  using full = await Deno.open("/dev/full", { write: true });
  const cause = await full.write(bytes("x")).then(() => undefined, (error) => error);
  const error = directoryError(cause, "file:/data", "writing tail/a");
  assert.ok(error instanceof StoreUnavailableError);
  assert.match(error.message, /^Cannot use the store file:\/data while writing tail\/a: No space/);
  assert.match(error.message, /; free some space$/);
});

Deno.test({
  name: "a missing permission of Deno is told",
  permissions: { read: true, write: false, sys: true },
  async fn() {
    await using store = openDirectoryStore("/tmp/feedsync-not-permitted");
    await assert.rejects(store.put("a", bytes("x")), (error) => {
      assert.ok(error instanceof AccessDeniedError);
      assert.match(error.message, /--allow-write/);
      return true;
    });
  },
});

Deno.test("files that appear in the directory are objects", async () => {
  await using directory = await temporaryDirectory();
  await using store = openDirectoryStore(directory.path);
  await Deno.mkdir(join(directory.path, "tail", "s"), { recursive: true });
  await Deno.writeFile(join(directory.path, "tail", "s", "1"), bytes("copied"));
  assert.deepEqual(plain(await store.get("tail/s/1")), bytes("copied"));
});

async function names(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
}

Deno.test("a process that only reads and cleans up goes by the clock of the file system", async () => {
  await using directory = await temporaryDirectory();
  const environment = {
    ...systemEnvironment,
    clock: { ...systemEnvironment.clock, now: () => Date.now() + 49 * 60 * 60 * 1000 },
  };
  await using writer = openDirectoryStore(directory.path);
  const key = "tail/web-1_abcdefgh/0000000000000001.1.ijklmnop";
  await writer.put(key, new Uint8Array([1]));
  await using store = openDirectoryStore(directory.path, environment);
  const report = await cleanUp(new BucketLog(store, { environment }), {
    maxAge: 24 * 60 * 60 * 1000,
    problems: problemsOf(environment),
  });
  assert.deepEqual([report.deleted, report.kept], [0, 1]);
  assert.deepEqual(await keys(store, ""), [key]);
});

/** Paths of the directories below `path`, temporary ones left out. */
async function directories(path: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(path, below))) {
    if (!isDirectory || name.startsWith(".")) continue;
    found.push(below + name, ...await directories(path, `${below}${name}/`));
  }
  return found.sort();
}

Deno.test("a directory goes with the last object in it, those at the top stay", async () => {
  await using directory = await temporaryDirectory();
  await using store = openDirectoryStore(directory.path);
  for (const key of ["tail/s/1", "tail/s/2", "tail/t/1", "segments/a/b/1"]) {
    await store.put(key, bytes("x"));
  }
  await store.delete(["tail/s/1", "segments/a/b/1"]);
  assert.deepEqual(await directories(directory.path), ["segments", "tail", "tail/s", "tail/t"]);
  await store.delete(["tail/s/2", "tail/s/3"]);
  assert.deepEqual(await directories(directory.path), ["segments", "tail", "tail/t"]);
  await store.put("tail/s/4", bytes("x"));
  assert.deepEqual(await keys(store, "tail/"), ["tail/s/4", "tail/t/1"]);
});

Deno.test("empty directories that others left are removed when they are listed", async () => {
  await using directory = await temporaryDirectory();
  await using store = openDirectoryStore(directory.path);
  await store.put("tail/s/1", bytes("x"));
  for (const empty of ["tail/new", "tail/t", "segments/t", "segments/u"]) {
    await Deno.mkdir(join(directory.path, empty), { recursive: true });
    const time = Date.now() / 1_000 - (empty === "tail/new" ? 30 : 90);
    await Deno.utime(join(directory.path, empty), time, time);
  }
  await Deno.mkdir(join(directory.path, "tail", "foreign"));
  await Deno.writeTextFile(join(directory.path, "tail", "foreign", ".hidden"), "x");
  assert.deepEqual(await keys(store, "tail/", { startAfter: "tail/s/9" }), []);
  assert.deepEqual(await keys(store, ""), ["tail/s/1"]);
  const left = ["segments", "tail", "tail/foreign", "tail/new", "tail/s"];
  assert.deepEqual(await directories(directory.path), left);
});

Deno.test("a directory that is removed while an object is written to it is made again", async () => {
  await using directory = await temporaryDirectory();
  await using writer = openDirectoryStore(directory.path);
  await using cleaner = openDirectoryStore(directory.path);
  let isWriting = true;
  const cleaning = (async () => {
    while (isWriting) {
      await list(cleaner, "tail/");
      await cleaner.delete(["tail/s/other"]);
    }
  })();
  try {
    for (let i = 0; i < 300; i++) {
      await writer.put("tail/s/1", bytes("x"));
      assert.deepEqual(plain(await writer.get("tail/s/1")), bytes("x"));
      await writer.delete(["tail/s/1"]);
    }
  } finally {
    isWriting = false;
    await cleaning;
  }
});

Deno.test("create() makes a directory that is missing, and declares no lost store empty", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "disk", "store");
  await using store = openDirectoryStore(path);
  assert.equal(await store.create?.(), true);
  assert.equal(await store.create?.(), false);
  assert.deepEqual(await keys(store, ""), []);
  store.expectObjects?.();
  await assert.rejects(list(store, ""), StoreUnavailableError);
});

Deno.test("create() tells what is in the way of a directory", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "file");
  await Deno.writeTextFile(file, "");
  await using store = openDirectoryStore(join(file, "store"));
  await assert.rejects(async () => await store.create?.(), (error) => {
    assert.ok(error instanceof AccessDeniedError, String(error));
    assert.match(error.message, /while creating its directory: .*a file has that name/);
    return true;
  });
});

Deno.test("a store that lost all its objects is refused until a person declares it empty", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "store");
  const expectAway = async (store: ReturnType<typeof openDirectoryStore>) => {
    await assert.rejects(list(store, ""), StoreUnavailableError);
    await assert.rejects(store.put("tail/b", bytes("x")), /is its disk mounted/);
  };
  await using store = openDirectoryStore(path);
  assert.deepEqual(await keys(store, ""), []);
  await store.put("tail/a", bytes("x"));
  store.expectObjects?.();
  await Deno.rename(path, `${path}-aside`);
  await expectAway(store);
  await Deno.mkdir(path);
  await expectAway(store);
  await using later = openDirectoryStore(path);
  later.expectObjects?.();
  await expectAway(later);
  await Deno.remove(path);
  await Deno.rename(`${path}-aside`, path);
  assert.deepEqual(await keys(later, ""), ["tail/a"]);
  await Deno.remove(path, { recursive: true });
  await Deno.mkdir(join(path, ".tmp"), { recursive: true });
  await later.put("tail/b", bytes("x"));
  assert.deepEqual(await keys(store, ""), ["tail/b"]);
});
