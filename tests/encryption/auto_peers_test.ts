import assert from "node:assert/strict";
import { publish } from "../../lib/publish.ts";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { formatOf } from "../../lib/stores/body_format.ts";
import { MemoryStore } from "../memory_store.ts";
import { FoundServer, until } from "../wake/found_server.ts";
import { captureLog, Keys } from "./keys.ts";

const update = (content: string) => ({ url: `https://example.com/${content}`, content });

Deno.test("servers with the same keys find each other; addresses are encrypted in the bucket", async () => {
  await using keys = await Keys.make();
  const store = new MemoryStore(systemEnvironment.clock);
  const start = async (server: string) =>
    await FoundServer.start(store, { server, envelope: await keys.envelope() });
  await using web1 = await start("web-1");
  await until(() => web1.presences(store).length === 1);
  await using web2 = await start("web-2");
  await until(() => web2.presences(store).length === 1);
  for (const key of [...web1.presences(store), ...web2.presences(store)]) {
    assert.equal(formatOf(store.objects.get(key)!.body), "jwe");
  }
  using log = captureLog();
  await using web3 = await start("web-3");
  const isFound = (line: string) => /Peers found .*: 2/.test(line);
  await until(() => log.lines.filter(isFound).length >= 2);
  await publish(web3.connection, update("a"));
  await until(() => web1.contents.length === 1 && web2.contents.length === 1);
  await publish(web1.connection, update("b"));
  await until(() => web3.contents.length === 1);
});

Deno.test("a server with other keys is no peer, and neither is one without keys", async () => {
  await using keys = await Keys.make();
  await using others = await Keys.make();
  using log = captureLog();
  const store = new MemoryStore(systemEnvironment.clock);
  const envelope = await keys.envelope();
  await using web1 = await FoundServer.start(store, { server: "web-1", envelope });
  await until(() => web1.presences(store).length === 1);
  await using web2 = await FoundServer.start(store, {
    server: "web-2",
    envelope: await others.envelope(),
  });
  await until(() => store.requests.get >= 1);
  await using web3 = await FoundServer.start(store, { server: "web-3" });
  await until(() => store.requests.get >= 3);
  await publish(web1.connection, update("a"));
  for (const { connection } of [web1, web2, web3]) {
    await connection.close();
    assert.deepEqual(connection.wakeUps, { sent: 0, dropped: 0 }, connection.server);
  }
  assert.doesNotMatch(log.lines.join("\n"), /Peers found/);
});
