import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { StateError } from "../../lib/errors.ts";
import { asRow } from "../../lib/log/positions.ts";
import { accept } from "../../lib/publishing/accept.ts";
import { prepareUpdate } from "../../lib/publishing/prepare.ts";
import { FileLock } from "../../lib/state/lock.ts";
import { State } from "../../lib/state/state.ts";
import { acceptInto } from "../fixture.ts";

const OWNER = { server: "web-1", store: "s3://bucket/prefix" };

async function inDirectory(test: (directory: string) => void | Promise<void>) {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function open(path: string, owner = OWNER): State {
  return new State(path, owner, systemEnvironment.random);
}

function assertRefused(path: string, message: RegExp, owner = OWNER) {
  assert.throws(() => open(path, owner), (error) => {
    assert.ok(error instanceof StateError, String(error));
    assert.match(error.message, message);
    assert.ok(error.message.includes(path));
    return true;
  });
}

Deno.test("a state keeps its stream when it is opened again", async () => {
  await inDirectory((directory) => {
    const path = `${directory}/web-1.db`;
    const first = open(path);
    const { stream } = first.ownStream.load();
    first[Symbol.dispose]();
    using second = open(path);
    assert.equal(second.ownStream.load().stream, stream);
    assert.match(stream, /^web-1_[a-z2-7]{8}$/);
  });
});

Deno.test("a state that belongs to another server or store is refused", async () => {
  await inDirectory((directory) => {
    const path = `${directory}/web-1.db`;
    {
      using state = open(path);
      state.noteClockOffset(0); // The store has answered.
    }
    assertRefused(path, /for the server web-2: it belongs to web-1/, { ...OWNER, server: "web-2" });
    assertRefused(path, /for the store file:x: it belongs to s3:/, { ...OWNER, store: "file:x" });
    open(path)[Symbol.dispose]();
  });
});

Deno.test("a state file that is not a usable database is refused, and left as it is", async () => {
  await inDirectory(async (directory) => {
    const text = `${directory}/text.db`;
    await Deno.writeTextFile(
      text,
      "This is not a database, but long enough to look like one.\n".repeat(20),
    );
    assertRefused(text, /the file is not a database/);
    assert.match(await Deno.readTextFile(text), /^This is not a database/);

    const other = `${directory}/other.db`;
    const db = new DatabaseSync(other);
    db.exec("CREATE TABLE users (name)");
    db.close();
    assertRefused(other, /another program's database/);

    await Deno.mkdir(`${directory}/directory.db`);
    assertRefused(`${directory}/directory.db`, /cannot be opened/);
    assertRefused(`${directory}/missing/web-1.db`, /cannot be opened/);
  });
});

Deno.test("nobody else can read a new state, whatever the umask", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/web-1.db`, umask = Deno.umask(0o022);
    try {
      using state = open(path);
      state.transaction(() => state.setFact("held", "{}"));
      const modes = [path, `${path}-wal`, `${path}-shm`].map((file) => Deno.statSync(file).mode!);
      assert.deepEqual(modes.map((mode) => mode & 0o777), [0o600, 0o600, 0o600]);
    } finally {
      Deno.umask(umask);
    }
    await Deno.chmod(path, 0o660);
    using _again = open(path);
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o660, "what an operator has set stays");
  });
});

Deno.test("a state in memory leaves no file behind", () => {
  for (const path of [":memory:", "file:left?mode=memory"]) {
    open(path)[Symbol.dispose]();
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
  }
});

Deno.test("a read-only state file is refused", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/web-1.db`;
    open(path)[Symbol.dispose]();
    // File modes do not stop root; the immutable attribute does, where the file system has it.
    const chattr = (flag: string) => new Deno.Command("chattr", { args: [flag, path] }).output();
    if (!(await chattr("+i").catch(() => undefined))?.success) {
      console.log("skipped: chattr cannot make a file immutable here");
      return;
    }
    try {
      assertRefused(path, /read-only|cannot be opened/);
    } finally {
      await chattr("-i");
    }
  });
});

Deno.test("a full disk accepts nothing more, and keeps what was accepted", async () => {
  await inDirectory(async (directory) => {
    const disk = `${directory}/disk`;
    await Deno.mkdir(disk);
    const mount = new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk],
      stderr: "null",
    });
    if (!(await mount.output().catch(() => undefined))?.success) {
      console.log("skipped: a small file system cannot be mounted here");
      return;
    }
    try {
      using state = open(`${disk}/web-1.db`);
      const update = prepareUpdate({ url: "https://example.com/", content: "x".repeat(50_000) });
      let rows = 0;
      assert.throws(
        () => {
          for (; rows < 100; rows++) accept(acceptInto(state, systemEnvironment), update);
        },
        (error) =>
          error instanceof StateError && /the disk is full; free some space/.test(error.message),
      );
      assert.ok(rows > 0 && rows < 100);
      assert.equal(state.outbox.lastRow(), rows, "what failed has left no hole");
    } finally {
      await new Deno.Command("umount", { args: [disk] }).output();
    }
  });
});

Deno.test("sync() syncs the log of the database, and tells when the disk cannot", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/web-1.db`;
    using state = open(path);
    await state.sync();
    using other = open(`${directory}/web-2.db`);
    Deno.removeSync(`${directory}/web-2.db-wal`);
    await assert.rejects(other.sync(), (error) => {
      assert.ok(error instanceof StateError);
      assert.match(error.message, /^Cannot write to the state .*web-2\.db: /);
      return true;
    });
    using memory = open(":memory:");
    await memory.sync();
  });
});

Deno.test("times accepted before the store was ever heard are corrected once", () => {
  using state = open(":memory:");
  const url = "https://example.com/";
  const wrong = {
    ...systemEnvironment,
    clock: { ...systemEnvironment.clock, now: () => 5_000_000 },
  };
  accept(acceptInto(state, wrong), prepareUpdate({ url, content: "a" }));
  accept(acceptInto(state, wrong), prepareUpdate({ url, content: "b" }));
  state.noteClockOffset(-3_600_000);
  assert.deepEqual([...state.outbox.rows(asRow(1), asRow(2))].map(({ time }) => time), [
    1_400_000,
    1_400_001,
  ]);
  assert.equal(state.newest.get(url)?.time, 1_400_001);
  state.noteClockOffset(-3_500_000);
  assert.equal(state.newest.get(url)?.time, 1_400_001, "only before the first upload");
  const { time } = accept(
    acceptInto(state, wrong),
    prepareUpdate({ url: `${url}2`, content: "c" }),
  );
  assert.equal(time, 1_500_000);
});

Deno.test("a lock is held by one at a time and free again when it is disposed of", async () => {
  await inDirectory((directory) => {
    const first = new FileLock(`${directory}/lock`), second = new FileLock(`${directory}/lock`);
    assert.ok(first.tryAcquire());
    assert.ok(first.tryAcquire(), "its holder may ask again");
    assert.ok(!second.tryAcquire());
    first[Symbol.dispose]();
    assert.ok(second.tryAcquire());
    second[Symbol.dispose]();
  });
});

Deno.test("a stream waits for a key or an upgrade until its cursor moves, or nothing is left of it", () => {
  using state = open(":memory:");
  const { cursors } = state, stream = "web-2_abcdefgh";
  cursors.noteReach(stream, 9);
  cursors.noteLocked(stream, 0, "one key");
  cursors.noteLocked(stream, 0, "another key");
  assert.deepEqual(cursors.locked(stream), { after: 0, reason: "one key" });
  cursors.advance(stream, { from: 0, to: 5 });
  assert.equal(cursors.locked(stream), undefined);
  cursors.noteLocked(stream, 4, "a reader that was overtaken");
  assert.equal(cursors.locked(stream), undefined);
  cursors.noteLocked(stream, 5, "an upgrade");
  assert.deepEqual(cursors.locked(stream), { after: 5, reason: "an upgrade" });
  cursors.noteUnlocked(stream);
  assert.equal(cursors.locked(stream), undefined);
  cursors.noteLocked(stream, 5, "an upgrade");
  cursors.giveUp(stream);
  assert.equal(cursors.locked(stream), undefined);
});
