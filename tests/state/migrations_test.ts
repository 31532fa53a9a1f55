import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemEnvironment } from "../../lib/environment.ts";
import { accept, prepareUpdate } from "../../lib/publishing/accept.ts";
import { State } from "../../lib/state/state.ts";

const OWNER = { server: "web-1", store: "s3://bucket/prefix" };

Deno.test("a state of the first version is taken over, with all that is in it", async () => {
  const directory = await Deno.makeTempDir(), path = `${directory}/web-1.db`;
  const { random } = systemEnvironment;
  let stream: string;
  {
    using state = new State(path, OWNER, random);
    ({ stream } = state.publisher.load());
    accept(state, prepareUpdate({ url: "https://example.com/", content: "a" }), systemEnvironment);
    state.cursors.enter("web-2_abcdefgh", 7);
  }
  {
    using db = new DatabaseSync(path);
    db.exec("DROP TABLE forgettable; DELETE FROM meta WHERE key IN ('format', 'service')");
  }
  {
    using state = new State(path, { ...OWNER, service: "minio:9000" }, random);
    assert.equal(state.publisher.load().stream, stream);
    assert.deepEqual([state.queued(), state.cursors.get("web-2_abcdefgh")], [1, 7]);
    assert.equal(state.fact("service"), "minio:9000");
    assert.ok(!state.isNew);
    const survey = { streams: [], ownKeys: [], now: 0, localNow: 0, retention: 600_000 };
    state.forgetting.survey(survey);
    assert.equal(state.cursors.get("web-2_abcdefgh"), 7);
  }
  await Deno.remove(directory, { recursive: true });
});
