import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { connect } from "../../lib/connect.ts";
import { ConfigError, StateError } from "../../lib/errors.ts";
import { publish } from "../../lib/publish.ts";
import { watch } from "../../lib/watch.ts";
import { workspace } from "../cli/feedsync.ts";
import { at, findingsWith } from "./findings.ts";

/** A directory with a store and the state of a server. */
async function home() {
  const { path, ...rest } = await workspace();
  const store = `file:${join(path, "store")}`, state = join(path, "state", "web-1.db");
  const config = { store, state, server: "web-1" };
  return {
    ...rest,
    config,
    state,
    /** Publishes an update. */
    async publish(server = "web-1", name = `${server}.db`): Promise<void> {
      const path = join(state, "..", name);
      await using sync = await connect({ store, server, state: path });
      await publish(sync, { url: "https://example.com/", content: "a" });
    },
    /** What is found of the state, as `level: what`. */
    async find(changes: Parameters<typeof findingsWith>[0] = {}) {
      const all = await findingsWith({ ...config, ...changes });
      return all.filter(({ check }) => check === "state");
    },
    /** Everything in the directory of the state, with when it was changed. */
    files(): string[] {
      return Array.from(Deno.readDirSync(join(state, "..")), ({ name }) => {
        const { mtime, size } = Deno.statSync(join(state, "..", name));
        return `${name} ${size} ${mtime!.getTime()}`;
      }).sort();
    },
  };
}

Deno.test("a state is looked at without a trace, whether a process uses it or not", async () => {
  await using place = await home();
  await place.publish();
  const before = place.files();
  const [unused] = await place.find();
  assert.match(unused.what, /web-1\.db is whole, and belongs to web-1; nobody uses it now$/);
  assert.deepEqual(place.files(), before);
  await using sync = await connect(place.config);
  await using watcher = watch(sync, () => {}, { manual: true });
  await watcher.poll();
  const [used] = await place.find();
  assert.match(used.what, /a watcher uses it now$/);
});

Deno.test("there need be no state yet, and none is made", async () => {
  await using place = await home();
  const [found, ...others] = await place.find();
  assert.match(found.what, /^There is no state yet: .*web-1\.db is made at the first start$/);
  assert.deepEqual(others.map(({ level }) => level), ["ok"]);
  await assert.rejects(Deno.stat(join(place.state, "..")), Deno.errors.NotFound);
});

Deno.test("a damaged state is wrong, and so are one of another server and another program's", async () => {
  await using place = await home();
  await place.publish();
  const [other] = await place.find({ server: "web-2" });
  assert.ok(other.error instanceof StateError);
  assert.match(other.what, /for the server web-2: it belongs to web-1; choose another file/);
  const moved = `file:${join(place.state, "..", "..", "elsewhere")}`;
  const [elsewhere] = await place.find({ store: moved });
  assert.match(
    elsewhere.what,
    /for the store file:.*elsewhere: it belongs to file:.*store; choose/,
  );
  const bytes = await Deno.readFile(place.state);
  await Deno.writeFile(place.state, bytes.fill(0xff, 4096, bytes.length - 4096));
  const [damaged] = await place.find();
  assert.ok(damaged.error instanceof StateError);
  assert.match(damaged.what, /the file is damaged; restore it, or remove it/);
  await Deno.writeTextFile(place.state, "not a database ".repeat(100));
  const [text] = await place.find();
  assert.match(text.what, /the file is not a database; choose another path for the state$/);
});

Deno.test("what waits for its upload is told, in this state and in those beside it", async () => {
  await using place = await home();
  const away = { store: place.config.store, s3: undefined };
  await Deno.writeTextFile(join(place.state, "..", "..", "store"), "a file, so nothing is stored");
  for (const server of ["web-1", "web-0"]) {
    await assert.rejects(place.publish(server));
  }
  const found = at("warning", await findingsWith({ ...place.config, ...away }))
    .filter((what) => what.startsWith("state"));
  assert.match(found[0], /^state: No process uploads what is queued in .*web-1\.db: 1 update$/);
  assert.match(
    found[1],
    /^state: No process uploads what is queued in .*web-0\.db: 1 update of web-0$/,
  );
});

Deno.test("what a running process has not uploaded for long is told", async () => {
  await using place = await home();
  await Deno.writeTextFile(join(place.state, "..", "..", "store"), "a file, so nothing is stored");
  await using sync = await connect({ ...place.config, publishTimeout: "50ms", stopTimeout: "0s" });
  await assert.rejects(publish(sync, { url: "https://example.com/", content: "a" }));
  const told = async () =>
    (await place.find()).filter(({ what }) => what.includes("although a process uploads them"));
  assert.deepEqual(await told(), [], "it may yet be uploaded");
  using db = new DatabaseSync(place.state);
  db.prepare("UPDATE outbox SET time = time - 1200000").run();
  const [{ level, what }] = await told();
  assert.equal(level, "warning");
  assert.match(what, /^1 update queued in .*web-1\.db, the oldest for 20 min, although/);
});

Deno.test("a state in memory is doubtful, and an unusable configuration leaves nothing to check", async () => {
  const [memory] = (await findingsWith({ state: ":memory:" }))
    .filter(({ check }) => check === "state");
  assert.equal(memory.level, "warning");
  const [wrong, ...others] = await findingsWith({ poll: "never" });
  assert.ok(wrong.error instanceof ConfigError);
  assert.ok(others.length > 10);
  assert.deepEqual([...new Set(others.map(({ level, advice }) => `${level}: ${advice}`))], [
    "unchecked: the configuration cannot be used",
  ]);
});
