import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { State } from "../../lib/state/state.ts";
import { temporaryDirectory } from "../plugins/harness.ts";
import { makeOldState } from "./state_0_1.ts";

/** How version 0.1 keeps a dead letter. */
const INSERT_OF_0_1 = `INSERT INTO dead_letters (plugin, stream, seq, content, error, time)
  VALUES ('a plugin', 's_abcdefgh', ?, '{"url":"https://example.com/"}', 'an error', 0)
  ON CONFLICT DO UPDATE SET error = excluded.error`;

function openState(path: string): State {
  return new State(path, { server: "web-1", store: "file:store" }, systemEnvironment.random);
}

Deno.test("dead letters of version 0.1 are taken over, and are due", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "state.db");
  makeOldState(path, (db) => db.prepare(INSERT_OF_0_1).run(1));
  {
    using state = openState(path);
    assert.deepEqual(state.deadLetters.waiting().map(({ id, retryAt }) => [id, retryAt]), [[1, 0]]);
    state.deadLetters.postpone(1, "final", null);
  }
  using database = new DatabaseSync(path);
  database.prepare(INSERT_OF_0_1).run(2); // The older program may still run with it.
  using state = openState(path);
  assert.deepEqual(state.deadLetters.waiting().map(({ id }) => id), [2]);
  assert.deepEqual(state.deadLetters.all().map(({ error }) => error), ["final", "an error"]);
});
