import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { asRow, asSeq } from "../../lib/log/positions.ts";
import { State } from "../../lib/state/state.ts";
import { temporaryDirectory } from "../plugins/harness.ts";
import { EARLY_STATES, makeEarlyState } from "./early_states.ts";
import { makeOldState } from "./state_0_1.ts";

Deno.test("a state of the first version is taken over, with all that is in it", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "web-1.db"), stream = "web-1_abcdefgh";
  makeOldState(path, (db) => {
    db.exec(`
      INSERT INTO meta VALUES ('server', 'web-1'), ('store', 's3://bucket/prefix');
      INSERT INTO publisher VALUES (1, '${stream}', NULL, 0, 0, 0, 0, NULL, 0, 0);
      INSERT INTO outbox (id, url, time, body) VALUES ('a', 'https://example.com/', 1, '"content":1');
      INSERT INTO cursors (stream, seq) VALUES ('web-2_abcdefgh', 7);
    `);
  });
  const owner = { server: "web-1", store: "s3://bucket/prefix", service: "minio:9000" };
  using state = new State(path, owner, systemEnvironment.random);
  assert.equal(state.ownStream.load().stream, stream);
  assert.deepEqual([state.queued(), state.cursors.get("web-2_abcdefgh")], [1, 7]);
  assert.equal(state.fact("service"), "minio:9000");
  assert.ok(!state.isNew);
  const survey = { streams: [], ownKeys: [], now: 0, localNow: 0, retentionMs: 600_000 };
  state.forgetting.survey(survey);
  assert.equal(state.cursors.get("web-2_abcdefgh"), 7);
});

for (const [format, script] of Object.entries(EARLY_STATES)) {
  Deno.test(`a state of format ${format}, is taken over with all that is in it`, async () => {
    await using home = await temporaryDirectory();
    const path = join(home.path, "web-1.db"), random = systemEnvironment.random;
    makeEarlyState(path, script);
    for (let opening = 0; opening < 2; opening++) {
      using state = new State(path, { server: "web-1", store: "s3://bucket/prefix" }, random);
      assert.equal(state.ownStream.load().stream, "web-1_abcdefgh");
      assert.deepEqual([state.queued(), state.cursors.get("web-2_abcdefgh")], [1, 7]);
      assert.deepEqual(state.deadLetters.waiting().map(({ id, retryAt }) => [id, retryAt]), [[
        1,
        0,
      ]]);
      state.cursors.noteReach("web-2_abcdefgh", 9 + opening);
      assert.deepEqual(state.cursors.unread(), ["web-2_abcdefgh"]);
      state.former.add(
        { stream: `web-1_${random.token()}`, base: asRow(0), uploadedSeq: asSeq(1) },
        0,
      );
      state.ownStream.noteRepublished(asRow(0));
      assert.deepEqual([...state.ownStream.republishedIn("web-1_abcdefgh")], ["a"]);
    }
  });
}

Deno.test("URLs in the errors of 0.1 are cut down, and wiped from the file", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "web-1.db"), url = "https://example.com/";
  const error = `POST https://hooks.example/T0KEN?${"x".repeat(10_000)} for ${url}: 500`;
  makeOldState(path, (db) => {
    const add = db.prepare(
      `INSERT INTO dead_letters (plugin, stream, seq, content, error, time)
       VALUES ('webhook', 'web-2_abcdefgh', ?, ?, ?, 1)`,
    );
    for (let seq = 1; seq <= 10; seq++) add.run(seq, JSON.stringify({ url }), error + seq);
  });
  const owner = { server: "web-1", store: "s3://bucket/prefix" };
  {
    using state = new State(path, owner, systemEnvironment.random);
    const [first] = state.deadLetters.all();
    assert.equal(first.error, `POST https://hooks.example for ${url}: 5001`);
  }
  for await (const { name } of Deno.readDir(home.path)) {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(join(home.path, name)));
    assert.ok(!text.includes("T0KEN"), name);
  }
});

Deno.test("a state that a newer program has added to is opened, and stays as it is", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "web-1.db"),
    owner = { server: "web-1", store: "s3://bucket/prefix" };
  new State(path, owner, systemEnvironment.random)[Symbol.dispose]();
  {
    using db = new DatabaseSync(path);
    db.exec("UPDATE meta SET value = 99 WHERE key = 'format'; CREATE TABLE later (a)");
  }
  using state = new State(path, owner, systemEnvironment.random);
  assert.equal(state.queued(), 0);
  using db = new DatabaseSync(path);
  assert.equal(db.prepare("SELECT value FROM meta WHERE key = 'format'").get()!.value, 99);
});

Deno.test("a state that needs a newer program is refused, with both numbers, also by one that has it open", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "web-1.db"),
    owner = { server: "web-1", store: "s3://bucket/prefix" };
  using open = new State(path, owner, systemEnvironment.random);
  {
    using db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 3");
  }
  const refusal =
    /^StateError: Cannot use the state .*: it has format 3, .* formats up to 2; restart/;
  assert.throws(() => new State(path, owner, systemEnvironment.random), refusal);
  assert.throws(() => open.transaction(() => open.setFact("lastPoll", 1)), refusal);
  assert.equal(open.fact("lastPoll"), undefined);
});

Deno.test("the database of another program is refused, whatever its number", async () => {
  await using home = await temporaryDirectory();
  for (const version of [0, 1, 2]) {
    const path = join(home.path, `${version}.db`);
    {
      using db = new DatabaseSync(path);
      db.exec(`CREATE TABLE albums (title); PRAGMA user_version = ${version}`);
    }
    assert.throws(
      () => new State(path, { server: "web-1", store: "file:/" }, systemEnvironment.random),
      /it is another program's database; choose another path/,
    );
  }
});
