import assert from "node:assert/strict";
import { join } from "node:path";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { State } from "../../lib/state/state.ts";
import { temporaryDirectory } from "../plugins/harness.ts";
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
  assert.equal(state.publisher.load().stream, stream);
  assert.deepEqual([state.queued(), state.cursors.get("web-2_abcdefgh")], [1, 7]);
  assert.equal(state.fact("service"), "minio:9000");
  assert.ok(!state.isNew);
  const survey = { streams: [], ownKeys: [], now: 0, localNow: 0, retention: 600_000 };
  state.forgetting.survey(survey);
  assert.equal(state.cursors.get("web-2_abcdefgh"), 7);
});
