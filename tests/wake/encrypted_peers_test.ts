import assert from "node:assert/strict";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { Connection } from "../../lib/connection.ts";
import type { Envelope } from "../../lib/log/encryption/envelope.ts";
import { formatOf } from "../../lib/stores/body_format.ts";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { publish } from "../../lib/publish.ts";
import { watch } from "../../lib/watch.ts";
import type { Config } from "../../mod.ts";
import { captureLog, Keys } from "../encryption/keys.ts";
import { MemoryStore } from "../memory_store.ts";
import { freeAddress } from "../servers/ports.ts";

const SECRET = `whsec_${btoa("a secret that all servers have")}`;

function connect(store: MemoryStore, envelope: Envelope, config: Config): Connection {
  const resolved = resolveConfig({
    poll: "1h",
    ...config,
    wake: { secret: SECRET, ...config.wake },
  });
  return new Connection(resolved, store, { envelope });
}

Deno.test("what peers send each other is encrypted, and applied without a request to the store", async () => {
  await using keys = await Keys.make();
  const store = new MemoryStore(systemEnvironment.clock), address = freeAddress();
  const peers = { server: "web-1", wake: { peers: [`http://${address}`] } };
  await using web1 = connect(store, await keys.envelope(), peers);
  await using web2 = connect(store, await keys.envelope(), {
    server: "web-2",
    wake: { listen: address },
  });
  const contents: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await using watcher = watch(web2, ({ content }) => {
    if (contents.push(content) === 5) resolve();
  });
  await watcher.poll();
  const formats = new Set<unknown>();
  web1.parts!.uploader.onCommit.push(({ body }) => void formats.add(formatOf(body)));
  for (const content of ["a", "b", "c", "d", "e"]) {
    await publish(web1, { url: "https://example.com/", content });
  }
  await promise;
  assert.deepEqual(contents, ["a", "b", "c", "d", "e"]);
  assert.deepEqual(formats, new Set(["jwe"]));
  assert.equal(store.requests.get, 0);
});

Deno.test("a peer that lacks the key takes a commit as a hint, says which it needs, and goes on later", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  using log = captureLog();
  const store = new MemoryStore(systemEnvironment.clock), address = freeAddress();
  const peers = { server: "web-1", wake: { peers: [`http://${address}`] } };
  await using web1 = connect(store, await keys.envelope(), peers);
  await using web2 = connect(store, await others.envelope(), {
    server: "web-2",
    wake: { listen: address },
  });
  const contents: unknown[] = [];
  await using watcher = watch(web2, ({ content }) => void contents.push(content));
  await watcher.poll();
  await publish(web1, { url: "https://example.com/", content: "a" });
  await web1.close(); // It has told its peer by then.
  await watcher.poll();
  assert.equal(web1.wakeUps.sent, 1);
  assert.deepEqual(contents, []);
  const [kid] = await keys.kids();
  assert.equal(
    log.lines.filter((line) => line.startsWith("error") && line.includes(kid)).length,
    1,
  );
  await others.replaceBy(keys);
  await watcher.poll();
  assert.deepEqual(contents, ["a"]);
});
