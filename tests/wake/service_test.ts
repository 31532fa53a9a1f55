/** Buckets of the same name at two services. */
import assert from "node:assert/strict";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { Peers } from "../../lib/wake/send/peers.ts";
import { BODY, Ear, NAME, SECRET, STORE } from "./ear.ts";

/** What a listener for the one service hears when a peer sends from another. */
async function heard({ from, at }: { from?: string; at?: string }) {
  await using ear = new Ear({ service: at });
  const peers = new Peers([ear.url], {
    secret: SECRET,
    log: { url: STORE, service: from, now: Date.now },
    environment: systemEnvironment,
  });
  peers.send({ key: NAME.key, body: BODY });
  await peers.close(10_000);
  assert.equal(peers.counts.sent, 1);
  return ear.heard;
}

Deno.test("a commit of a bucket with the same name elsewhere is a hint, and not believed", async () => {
  assert.deepEqual(await heard({ from: "staging:9000", at: "minio:9000" }), [{ name: NAME }]);
});

Deno.test("a commit from the same service, or from a peer that names none, is taken", async () => {
  for (const from of ["minio:9000", undefined]) {
    const [{ updates }] = await heard({ from, at: "minio:9000" });
    assert.equal(updates?.length, 1);
  }
  const [{ updates }] = await heard({ from: "minio:9000" });
  assert.equal(updates?.length, 1);
});
