import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { FeedSyncError, StateError } from "../../lib/errors.ts";
import { accept } from "../../lib/publishing/accept.ts";
import { prepareUpdate } from "../../lib/publishing/prepare.ts";
import { backUp } from "../../lib/state/backup.ts";
import { findDamage } from "../../lib/state/integrity.ts";
import { State } from "../../lib/state/state.ts";
import { acceptInto } from "../fixture.ts";
import { start } from "../cli/feedsync.ts";

const OWNER = { server: "web-1", store: "s3://bucket/prefix" };

/** A directory with a state, removed at the end of the test. */
class Place implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly state = this.path("web-1.db");
  readonly backup = this.path("backup.db");

  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  open(path = this.state): State {
    return new State(path, OWNER, systemEnvironment.random);
  }

  files(): string[] {
    return [...Deno.readDirSync(this.directory)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function publish(state: State, content: string): void {
  const update = prepareUpdate({ url: `https://example.com/${content}`, content });
  accept(acceptInto(state, systemEnvironment), update);
}

Deno.test("a backup holds what was accepted, and only its owner can read it", async () => {
  using place = new Place();
  using state = place.open();
  publish(state, "a");
  const { queued, server } = await backUp(place.state, place.backup);
  assert.deepEqual([queued, server], [1, "web-1"]);
  assert.equal(Deno.statSync(place.backup).mode! & 0o777, 0o600);
  publish(state, "b");
  using copy = place.open(place.backup);
  assert.equal(copy.queued(), 1);
  assert.equal(copy.ownStream.load().stream, state.ownStream.load().stream);
});

Deno.test("a backup of a state that nobody uses leaves nothing beside it", async () => {
  using place = new Place();
  place.open()[Symbol.dispose]();
  await backUp(place.state, place.backup);
  assert.deepEqual(place.files(), ["backup.db", "web-1.db"]);
});

Deno.test("a backup replaces nothing, whatever is there, and leaves no unfinished file", async () => {
  using place = new Place();
  place.open()[Symbol.dispose]();
  Deno.writeTextFileSync(place.backup, "precious");
  await assert.rejects(backUp(place.state, place.backup), (error) => {
    assert.ok(error instanceof FeedSyncError && !(error instanceof StateError));
    assert.match(error.message, /web-1\.db to .*backup\.db: that file is there; choose another/);
    return true;
  });
  assert.equal(Deno.readTextFileSync(place.backup), "precious");
  Deno.symlinkSync(place.path("nowhere"), place.path("link.db"));
  await assert.rejects(backUp(place.state, place.path("link.db")), /that file is there/);
  await assert.rejects(backUp(place.state, place.path("none/b.db")), /to .*none\/b\.db: No such/);
  assert.deepEqual(place.files(), ["backup.db", "link.db", "web-1.db"]);
});

Deno.test("what is no state is not backed up", async () => {
  using place = new Place();
  {
    using other = new DatabaseSync(place.path("other.db"));
    other.exec("CREATE TABLE notes (text TEXT)");
  }
  await assert.rejects(backUp(place.path("other.db"), place.backup), /another program's database/);
  assert.deepEqual(place.files(), ["other.db"]);
});

Deno.test("backups that are made while others write hold one moment each", async () => {
  using place = new Place();
  using state = place.open();
  let isDone = false, written = 0;
  const writing = (async () => {
    for (; !isDone; written++) {
      publish(state, `x${written}`);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  })();
  const run = (name: string) =>
    start(["state", "backup", name, "--state", "web-1.db", "--json"], { cwd: place.directory });
  const processes = [run("1.db"), run("2.db"), run("3.db")];
  const outputs = await Promise.all(processes.map((process) => process.output()));
  isDone = true;
  await writing;
  for (const { success, stderr } of outputs) assert.ok(success, new TextDecoder().decode(stderr));
  for (const name of ["1.db", "2.db", "3.db"]) {
    assert.deepEqual(findDamage(place.path(name)), []);
    using copy = place.open(place.path(name));
    assert.ok(copy.queued() > 0 && copy.queued() <= written, `${copy.queued()} of ${written}`);
  }
  for (const process of processes) await process.stdin.abort();
});

Deno.test("a backup that is killed half-way does not look like one, and can be repeated", async () => {
  using place = new Place();
  {
    using state = place.open();
    publish(state, "a");
  }
  {
    using db = new DatabaseSync(place.state);
    db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
             INSERT INTO files SELECT '/feeds/' || i, hex(randomblob(100)) FROM n`);
  }
  using changes = Deno.watchFs(place.directory);
  const process = start(["state", "backup", "backup.db", "--state", "web-1.db"], {
    cwd: place.directory,
  });
  for await (const { paths } of changes) {
    if (paths.some((path) => path.endsWith(".unfinished"))) break;
  }
  process.kill("SIGKILL");
  const { signal } = await process.output();
  assert.equal(signal, "SIGKILL", "it was not faster than this test");
  await process.stdin.abort().catch(() => {});
  const [unfinished, ...others] = place.files().filter((name) => name.startsWith("backup"));
  assert.match(unfinished, /^backup\.db\.[0-9a-f]{8}\.unfinished$/);
  const journal = `${unfinished}-journal`; // SQLite's, if it had begun one.
  assert.deepEqual(others.filter((name) => name !== journal), []);
  const { size } = Deno.statSync(place.path(unfinished));
  assert.equal((await backUp(place.state, place.backup)).queued, 1);
  assert.ok(size < Deno.statSync(place.backup).size, "it was half-way");
  assert.deepEqual(findDamage(place.backup), []);
});
