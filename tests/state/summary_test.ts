import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { StateError } from "../../lib/errors.ts";
import { asRow } from "../../lib/log/positions.ts";
import { accept } from "../../lib/publishing/accept.ts";
import { prepareUpdate } from "../../lib/publishing/prepare.ts";
import { findDamage } from "../../lib/state/integrity.ts";
import { State } from "../../lib/state/state.ts";
import { summarize } from "../../lib/state/summary.ts";
import { acceptInto } from "../fixture.ts";
import { EARLY_STATES } from "./early_states.ts";
import { makeOldState } from "./state_0_1.ts";

const OWNER = { server: "web-1", store: "s3://bucket/prefix", service: "minio:9000" };

/** A directory for a state, removed at the end of the test. */
class Place implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly path = `${this.directory}/state.db`;

  open(): State {
    return new State(this.path, OWNER, systemEnvironment.random);
  }

  /** All files, with their content. */
  files(): Map<string, Uint8Array> {
    const names = [...Deno.readDirSync(this.directory)].map(({ name }) => name).sort();
    return new Map(names.map((name) => [name, Deno.readFileSync(`${this.directory}/${name}`)]));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function publish(state: State, content: string): void {
  const update = prepareUpdate({ url: `https://example.com/${content}`, content });
  accept(acceptInto(state, systemEnvironment), update);
}

Deno.test("a summary tells what is queued, read, held and dead", () => {
  using place = new Place();
  using state = place.open();
  publish(state, "a");
  publish(state, "b");
  const { stream } = state.ownStream.load();
  state.ownStream.save({ uploadedRow: asRow(1) });
  for (
    const [name, seq] of [["web-2_aaaaaaaa", 5], ["web-3_aaaaaaaa", 7], [
      "web-4_aaaaaaaa",
      1,
    ]] as const
  ) {
    state.cursors.enter(name, seq);
  }
  state.cursors.noteReach("web-2_aaaaaaaa", 9);
  state.cursors.noteReach("web-3_aaaaaaaa", 8);
  state.cursors.noteLocked("web-2_aaaaaaaa", 5, "the key k is missing");
  state.cursors.hold("web-3_aaaaaaaa", 7, 1000);
  const summary = summarize(place.path);
  assert.deepEqual(
    { ...summary, bytes: 0, logBytes: 0, format: 0, queuedSince: 0 },
    {
      ...OWNER,
      path: place.path,
      ...{ bytes: 0, logBytes: 0, format: 0, reader: 2 },
      ...{ stream, uploaded: 1, queued: 1, queuedSince: 0 },
      ...{ cursors: 3, unread: 2, deadLetters: 0 },
      held: [
        { stream: "web-2_aaaaaaaa", after: 5, since: undefined, reason: "the key k is missing" },
        { stream: "web-3_aaaaaaaa", after: 7, since: 1000, reason: undefined },
      ],
    },
  );
  assert.equal(summary.queuedSince, state.queuedSince());
  assert.ok(summary.logBytes > 0);
});

Deno.test("looking into a state changes nothing in its directory", () => {
  using place = new Place();
  {
    using state = place.open();
    publish(state, "a");
  }
  const before = place.files();
  summarize(place.path);
  findDamage(place.path);
  assert.deepEqual(place.files(), before);
});

for (const [name, sql] of Object.entries(EARLY_STATES)) {
  Deno.test(`a state from before 0.1 is told, and not migrated (format ${name})`, () => {
    using place = new Place();
    {
      using db = new DatabaseSync(place.path);
      db.exec(sql);
    }
    const before = place.files();
    const { server, queued, cursors, deadLetters } = summarize(place.path);
    assert.deepEqual([server, queued, cursors, deadLetters], ["web-1", 1, 1, 1]);
    assert.deepEqual(findDamage(place.path), []);
    assert.deepEqual(place.files(), before);
  });
}

Deno.test("a state of 0.1 is told, with its format", () => {
  using place = new Place();
  makeOldState(
    place.path,
    (db) =>
      db.exec(`INSERT INTO meta VALUES ('server', 'web-1'), ('store', 's3://bucket');
      INSERT INTO publisher VALUES (1, 'web-1_abcdefgh', NULL, 0, 0, 0, 0, NULL, 0, 0);
      INSERT INTO outbox (id, url, time, body) VALUES ('a', 'https://example.com/', 1, '"content":1')`),
  );
  const { format, reader, queued, queuedSince, held } = summarize(place.path);
  assert.deepEqual([format, reader, queued, queuedSince, held], [2, 2, 1, 1, []]);
});

Deno.test("a state that only a newer version can read is refused, with both numbers", () => {
  using place = new Place();
  place.open()[Symbol.dispose]();
  {
    using db = new DatabaseSync(place.path);
    db.exec("PRAGMA user_version = 99");
  }
  assert.throws(() => summarize(place.path), (error) => {
    assert.ok(error instanceof StateError);
    assert.match(
      error.message,
      /it has format 99, and this version .* formats up to 2; restart with/,
    );
    return true;
  });
});

Deno.test("what SQLite takes for sound is damaged when queued updates are missing", () => {
  using place = new Place();
  {
    using state = place.open();
    for (const content of ["a", "b", "c"]) publish(state, content);
  }
  assert.deepEqual(findDamage(place.path), []);
  {
    using db = new DatabaseSync(place.path);
    db.exec("DELETE FROM outbox WHERE row = 2");
  }
  const problem = "of the 3 updates that wait for their upload, 2 are there";
  assert.deepEqual(findDamage(place.path), [problem]);
});

Deno.test("damage on the disk is found", () => {
  using place = new Place();
  {
    using state = place.open();
    for (let i = 0; i < 40; i++) publish(state, `${i}-${"x".repeat(15_000)}`);
  }
  {
    using file = Deno.openSync(place.path, { write: true });
    file.seekSync(400_000, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(8192).fill(0xa5));
  }
  assert.notDeepEqual(findDamage(place.path), []);
});

Deno.test("nobody else can open a state that is open exclusively, and it cannot be while it is open", () => {
  using place = new Place();
  const alone = () => new State(place.path, OWNER, systemEnvironment.random, { isExclusive: true });
  {
    using state = place.open();
    publish(state, "a");
    assert.throws(
      alone,
      /Cannot change the state .*: another process uses it, .*; stop it, then run/,
    );
  }
  {
    using _ = alone();
    assert.throws(() => summarize(place.path), /another process is writing to it/);
  }
  using state = place.open();
  assert.equal(state.queued(), 1);
});
