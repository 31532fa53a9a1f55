import assert from "node:assert/strict";
import { join } from "node:path";
import { changesIn } from "../../lib/config/reload.ts";
import { workspace } from "./feedsync.ts";
import { Running } from "./running.ts";

const PEERS = { secret: `whsec_${btoa("x".repeat(32))}`, peers: ["http://127.0.0.1:9"] };

Deno.test({
  name: "SIGHUP takes over what can be, says what needs a restart, and keeps what is wrong out",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await workspace();
    const path = join(home.path, "feedsync.json");
    const configure = (changes: object) =>
      Deno.writeTextFile(
        path,
        JSON.stringify({ server: "web-1", store: "file:store", plugins: ["log"], ...changes }),
      );
    await configure({ poll: "1h", retention: "1d", wake: PEERS });
    await using watch = new Running(["watch"], { cwd: home.path });
    await watch.says(/Watching/);

    await configure({
      ...{ poll: "100ms", retention: "2d", logLevel: "debug" },
      wake: { ...PEERS, peers: ["http://127.0.0.1:10"] },
    });
    watch.kill("SIGHUP");
    await watch.says(/changed: logLevel, poll, wake\.peers; after a restart: retention/);

    await configure({ poll: "soon" });
    watch.kill("SIGHUP");
    await watch.says(/keeping the former one: .*poll/);

    await configure({
      ...{ poll: "100ms", retention: "1d", logLevel: "debug" },
      wake: { ...PEERS, peers: ["http://127.0.0.1:10"] },
    });
    watch.kill("SIGHUP");
    await watch.says(/changed: nothing$/);
    watch.kill("SIGTERM");
    assert.equal((await watch.end()).code, 0);
  },
});

Deno.test({
  name: "other commands end by SIGHUP",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using home = await workspace({
      "feedsync.json": JSON.stringify({ server: "web-1", store: "file:store" }),
    });
    await using publishing = new Running(["publish", "https://example.com/", "-", "-v"], {
      cwd: home.path,
    });
    await publishing.says(/Configuration file/);
    publishing.kill("SIGHUP");
    assert.equal((await publishing.end()).code, 129);
  },
});

Deno.test("what was not started at the beginning needs a restart", () => {
  const changed = (begun: object, config: object) => changesIn(config, { begun, last: begun });
  assert.deepEqual(changed({ presence: false }, { presence: "1m" }), {
    takenOver: [],
    needRestart: ["presence"],
  });
  assert.deepEqual(changed({ wake: { peers: "auto" } }, { wake: PEERS }), {
    takenOver: [],
    needRestart: ["wake.peers", "wake.secret"],
  });
  assert.deepEqual(changed({ presence: "1m" }, {}), { takenOver: ["presence"], needRestart: [] });
});
