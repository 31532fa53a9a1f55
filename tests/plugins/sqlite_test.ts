import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { BackendUnavailableError } from "../../lib/errors.ts";
import type { Update, UpdateBase } from "../../lib/update.ts";
import sqlite from "../../plugins/sqlite.ts";
import { type PluginHost, startPlugin } from "../../lib/plugin.ts";
import { makeRemoval, makeUpdate, start, temporaryDirectory } from "./harness.ts";

type Row = Record<string, SQLOutputValue>;

/** The rows of a table, read as another program would: while the plugin has it open. */
function rows(directory: string, table = "feeds", path = "feeds.db"): Row[] {
  using database = new DatabaseSync(join(directory, path), { readOnly: true });
  return database.prepare(`SELECT * FROM ${table} ORDER BY url`).all().map((row) => ({ ...row }));
}

Deno.test("sqlite keeps the newest update of each feed in a table", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "deep/er/feeds.db" }, home.path);
  await plugin.update(makeUpdate({ content: "old" }));
  const newer = { time: "2026-01-02T03:04:05.679Z", seq: 2, id: "0" };
  await plugin.update(makeUpdate({ ...newer, content: "new", metadata: { status: "success" } }));
  await plugin.update(makeUpdate({ url: "https://example.com/other" }));

  const [feed, other, ...rest] = rows(home.path, "feeds", "deep/er/feeds.db");
  assert.deepEqual(feed, {
    url: "https://example.com/feed.xml",
    content: "new",
    encoding: "text",
    metadata: '{"status":"success"}',
    server: "web-1",
    time: "2026-01-02T03:04:05.679Z",
    id: "0",
    stream: "web-1_abcdefgh",
    seq: 2,
    removed: 0,
  });
  assert.equal(other.url, "https://example.com/other");
  assert.deepEqual(rest, []);
});

Deno.test("sqlite keeps text, parsed content and bytes so that each can be told", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  const bytes = new Uint8Array([0xff, 0, 0x80]);
  const contents: [Update["content"], SQLOutputValue, string][] = [
    ["<rss>é'\";--</rss>", "<rss>é'\";--</rss>", "text"],
    ["", "", "text"],
    ["42", "42", "text"],
    [42, "42", "json"],
    [null, "null", "json"],
    [{ title: "News" }, '{"title":"News"}', "json"],
    [bytes, bytes, "bytes"],
    [new Uint8Array(), new Uint8Array(), "bytes"],
  ];
  for (const [i, [content]] of contents.entries()) {
    await plugin.update(makeUpdate({ url: `https://example.com/${i}`, content }));
  }
  assert.deepEqual(
    rows(home.path).map(({ content, encoding }) => [content, encoding]),
    contents.map(([, stored, encoding]) => [stored, encoding]),
  );
});

Deno.test("sqlite never lets an older update overwrite a newer one", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  const time = "2026-01-02T03:04:05.678Z";
  await plugin.update(makeUpdate({ time, id: "5", content: "newest" }));
  const older: Partial<UpdateBase>[] = [
    { time: "2026-01-02T03:04:05.677Z", id: "9" },
    { time: "2025-12-31T23:59:59.999Z", id: "9" },
    { time, id: "4" },
    { time: "2027-01-01T00:00:00.000Z", id: "9", superseded: true },
  ];
  for (const changes of older) {
    await plugin.update(makeUpdate({ ...changes, content: "old" }));
    await plugin.update(makeRemoval(changes));
    assert.deepEqual(rows(home.path).map(({ content }) => content), ["newest"]);
  }
  await plugin.update(makeUpdate({ time, id: "6", content: "newer by its id" }));
  assert.equal(rows(home.path)[0].content, "newer by its id");
});

Deno.test("sqlite remembers removed feeds, so that older updates do not bring them back", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  await plugin.update(makeUpdate({ time: "2026-01-01T00:00:00.001Z" }));
  await plugin.update(makeRemoval({ time: "2026-01-01T00:00:00.003Z" }));
  await plugin.update(makeUpdate({ time: "2026-01-01T00:00:00.002Z" }));
  const [{ content, encoding, removed }] = rows(home.path);
  assert.deepEqual({ content, encoding, removed }, { content: null, encoding: null, removed: 1 });
  await plugin.update(makeUpdate({ time: "2026-01-01T00:00:00.004Z" }));
  assert.equal(rows(home.path)[0].removed, 0);
});

Deno.test("sqlite continues with the database of an earlier run, in WAL mode", async () => {
  await using home = await temporaryDirectory();
  for (const time of ["2026-01-01T00:00:00.001Z", "2026-01-01T00:00:00.000Z"]) {
    await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
    await plugin.update(makeUpdate({ time }));
  }
  assert.equal(rows(home.path)[0].time, "2026-01-01T00:00:00.001Z");
  using database = new DatabaseSync(join(home.path, "feeds.db"));
  assert.deepEqual({ ...database.prepare("PRAGMA journal_mode").get() }, { journal_mode: "wal" });
});

Deno.test("sqlite waits, without blocking, while another program writes", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  using other = new DatabaseSync(join(home.path, "feeds.db"));
  other.exec("BEGIN IMMEDIATE");
  const call = plugin.update(makeUpdate());
  // Only a timer that runs while the call waits ends the other program's transaction.
  setTimeout(() => other.exec("COMMIT"), 0);
  await call;
  assert.equal(rows(home.path).length, 1);
});

Deno.test("sqlite ends a call that waits for another program when it is aborted", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  using other = new DatabaseSync(join(home.path, "feeds.db"));
  other.exec("BEGIN IMMEDIATE");
  const controller = new AbortController();
  const reason = new Error("Took longer than 30s");
  const call = plugin.update(makeUpdate(), controller.signal);
  controller.abort(reason);
  await assert.rejects(call, reason);
  other.exec("COMMIT");
  assert.deepEqual(rows(home.path), []);
});

const NEWER = "2026-01-02T03:04:06.000Z", OLDER = "2026-01-02T03:04:05.000Z";

/** What may become of the file while it is open. */
const LOSSES: Record<string, (path: string) => Promise<void>> = {
  "deleted with all that is beside it": async (path) => {
    for (const end of ["", "-wal", "-shm"]) await Deno.remove(path + end);
  },
  "deleted alone": (path) => Deno.remove(path),
  "moved away": (path) => Deno.rename(path, `${path}.old`),
  "deleted with its directory": (path) => Deno.remove(dirname(path), { recursive: true }),
  "deprived of its log": (path) => Deno.remove(`${path}-wal`),
  "deprived of its index": (path) => Deno.remove(`${path}-shm`),
  "deprived of both": async (path) => {
    for (const end of ["-wal", "-shm"]) await Deno.remove(path + end);
  },
  "given another log": async (path) => {
    await Deno.writeTextFile(`${path}.new`, "");
    await Deno.rename(`${path}.new`, `${path}-wal`);
  },
  "replaced by an empty file": async (path) => {
    await Deno.writeTextFile(`${path}.new`, "");
    await Deno.rename(`${path}.new`, path);
  },
};

Deno.test("sqlite writes all that it had written when its file is lost", async () => {
  for (const [how, lose] of Object.entries(LOSSES)) {
    await using home = await temporaryDirectory();
    await using plugin = await start(sqlite, { path: "deep/feeds.db" }, home.path);
    for (const name of ["a", "b"]) await plugin.update(makeUpdate({ url: `https://x/${name}` }));
    await lose(join(home.path, "deep/feeds.db"));
    await plugin.update(makeUpdate({ url: "https://x/c" }));
    await plugin.update(makeUpdate({ url: "https://x/d" }));
    const urls = () => rows(home.path, "feeds", "deep/feeds.db").map(({ url }) => url);
    assert.deepEqual(urls(), ["a", "b", "c", "d"].map((name) => `https://x/${name}`), how);
    assert.match(
      plugin.logged.join(),
      /^warn: .*feeds\.db(-wal|-shm)? was deleted or replaced/,
      how,
    );
    await plugin[Symbol.asyncDispose]();
    assert.equal(urls().length, 4, `${how}, and closed`);
    const names = await Array.fromAsync(Deno.readDir(join(home.path, "deep")), ({ name }) => name);
    assert.ok(!names.some((name) => name.includes("rescued")), names.join());
  }
});

Deno.test("sqlite loses nothing when its log is deleted and its process is killed", async () => {
  await using home = await temporaryDirectory();
  const [harness, plugin] = ["./harness.ts", "../../plugins/sqlite.ts"]
    .map((path) => JSON.stringify(new URL(path, import.meta.url).href));
  const program = `
    import { makeUpdate, start } from ${harness};
    import sqlite from ${plugin};
    const plugin = await start(sqlite, { path: "feeds.db" }, Deno.cwd());
    await plugin.update(makeUpdate({ url: "https://x/a" }));
    Deno.removeSync("feeds.db-wal");
    await plugin.update(makeUpdate({ url: "https://x/b" }));
    Deno.kill(Deno.pid, "SIGKILL");`;
  await Deno.writeTextFile(join(home.path, "program.ts"), program);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { signal, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", config, "program.ts"],
    cwd: home.path,
  }).output();
  assert.equal(signal, "SIGKILL", new TextDecoder().decode(stderr));
  await using _plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  assert.deepEqual(rows(home.path).map(({ url }) => url), ["https://x/a", "https://x/b"]);
});

Deno.test("sqlite leaves what is newer in a database that replaces its file", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "feeds.db");
  {
    await using other = await start(sqlite, { path: "other.db" }, home.path);
    await other.update(makeUpdate({ url: "https://x/a", content: "replaced", time: NEWER }));
    await other.update(makeUpdate({ url: "https://x/b", content: "replaced", time: OLDER }));
  }
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  for (const name of ["a", "b"]) await plugin.update(makeUpdate({ url: `https://x/${name}` }));
  await Deno.rename(join(home.path, "other.db"), path);
  await plugin.update(makeUpdate({ url: "https://x/c" }));
  assert.deepEqual(
    rows(home.path).map(({ url, content }) => [url, content]),
    [["https://x/a", "replaced"], ["https://x/b", "<rss/>"], ["https://x/c", "<rss/>"]],
  );
});

Deno.test("sqlite counts nothing as applied that went into a file that is gone", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  using other = new DatabaseSync(join(home.path, "feeds.db"));
  other.exec("BEGIN IMMEDIATE");
  const call = plugin.update(makeUpdate()); // It waits for the lock of the file …
  await Deno.remove(join(home.path, "feeds.db")); // … which is gone when it gets it.
  other.exec("COMMIT");
  await call;
  assert.equal(rows(home.path).length, 1);
});

Deno.test("sqlite keeps what it had written until there is a database for it, also when it ends", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "feeds.db"), garbage = join(home.path, "garbage");
  {
    await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
    await plugin.update(makeUpdate({ url: "https://x/a" }));
    await Deno.writeTextFile(garbage, "This is no database.".repeat(100));
    await Deno.rename(garbage, path);
    for (let i = 0; i < 2; i++) {
      await assert.rejects(plugin.update(makeUpdate()), {
        name: BackendUnavailableError.name,
        message: `Cannot use table feeds of ${path}: file is not a database`,
      });
    }
  }
  await Deno.remove(path);
  await using _plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  assert.deepEqual(rows(home.path).map(({ url }) => url), ["https://x/a"]);
});

Deno.test("sqlite warns when its file was lost while nothing watched", async () => {
  await using home = await temporaryDirectory();
  const loggedWhen = async (host: Partial<PluginHost>) => {
    const logs: string[] = [];
    const warn = (message: string) => void logs.push(message);
    const logger = { debug: warn, info: warn, error: warn, warn };
    const running = await startPlugin(sqlite, { path: "feeds.db" }, {
      ...{ server: "web-2", directory: home.path, logger },
      ...host,
    });
    await running.onUpdate(makeUpdate(), new AbortController().signal);
    await running.close();
    return logs;
  };
  assert.deepEqual(await loggedWhen({ wasUsed: false }), []);
  assert.deepEqual(await loggedWhen({ wasUsed: true }), []);
  await Deno.remove(join(home.path, "feeds.db"));
  const [warning, ...others] = await loggedWhen({ wasUsed: true });
  assert.match(warning, /^The table feeds of .*feeds\.db is empty, although it was used before/);
  assert.deepEqual(others, []);
});

Deno.test("sqlite makes its table anew when another program drops it", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  using other = new DatabaseSync(join(home.path, "feeds.db"));
  other.exec("DROP TABLE feeds");
  await assert.rejects(plugin.update(makeUpdate()), { name: BackendUnavailableError.name });
  await plugin.update(makeUpdate());
  assert.equal(rows(home.path).length, 1);
});

Deno.test("sqlite goes on when its file is lost and there is nothing left to keep", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  {
    using other = new DatabaseSync(join(home.path, "feeds.db"));
    other.exec("DROP TABLE feeds");
  }
  await Deno.remove(join(home.path, "feeds.db"));
  await plugin.update(makeUpdate());
  assert.equal(rows(home.path).length, 1);
  assert.match(plugin.logged.join(), /error: Cannot keep what was written to .*no such table/);
});

Deno.test("sqlite keeps all of many updates at once while its file is lost again and again", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  const urls = Array.from({ length: 100 }, (_, index) => `https://x/${100 + index}`);
  await Promise.all(urls.map(async (url, index) => {
    if (index % 20 === 10) await Deno.remove(join(home.path, "feeds.db")).catch(() => {});
    await plugin.update(makeUpdate({ url }));
  }));
  await plugin.update(makeUpdate({ url: "https://x/last" }));
  assert.deepEqual(rows(home.path).map(({ url }) => url), [...urls, "https://x/last"]);
});

Deno.test("sqlite waits for its database when a lock stays", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(sqlite, { path: "feeds.db" }, home.path);
  using other = new DatabaseSync(join(home.path, "feeds.db"));
  other.exec("BEGIN IMMEDIATE");
  await assert.rejects(plugin.update(makeUpdate()), {
    name: BackendUnavailableError.name,
    message: /^Cannot write to .*feeds\.db: database is locked$/,
  });
  other.exec("COMMIT");
  await plugin.update(makeUpdate());
});

Deno.test("sqlite keeps two tables in one database", async () => {
  await using home = await temporaryDirectory();
  for (const table of ["Order", "_x1"]) {
    await using plugin = await start(sqlite, { path: "feeds.db", table }, home.path);
    await plugin.update(makeUpdate({ content: table }));
    assert.deepEqual(rows(home.path, `"${table}"`).map(({ content }) => content), [table]);
  }
});

Deno.test("sqlite says what is wrong with a file or table that it cannot use", async () => {
  await using home = await temporaryDirectory();
  const text = join(home.path, "text.db");
  await Deno.writeTextFile(text, "This is no database.".repeat(100));
  await assert.rejects(start(sqlite, { path: "text.db" }, home.path), {
    message: `Cannot use table feeds of ${text}: file is not a database`,
  });
  await assert.rejects(start(sqlite, { path: "new.db", table: "sqlite_master" }, home.path), {
    message: /^Cannot use table sqlite_master of /,
  });
  const taken = join(home.path, "taken.db");
  using database = new DatabaseSync(taken);
  database.exec("CREATE TABLE feeds (url TEXT PRIMARY KEY)");
  await assert.rejects(start(sqlite, { path: "taken.db" }, home.path), {
    message: `Cannot use table feeds of ${taken}: table feeds has no column named content`,
  });
});

Deno.test("sqlite refuses options that are wrong", async () => {
  await assert.rejects(start(sqlite, {}), /path/);
  await assert.rejects(start(sqlite, { path: "" }), /path/);
  await assert.rejects(start(sqlite, { path: "feeds.db", file: "x" }), /file/);
  for (const table of ["", "a b", "1a", 'a"; DROP TABLE b; --', "a\n", "é"]) {
    await assert.rejects(start(sqlite, { path: "feeds.db", table }), /must be letters/, table);
  }
});
