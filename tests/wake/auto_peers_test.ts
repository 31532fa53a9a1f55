import assert from "node:assert/strict";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { publish } from "../../lib/publish.ts";
import { captureLog } from "../encryption/keys.ts";
import { MemoryStore } from "../memory_store.ts";
import { FoundServer, SECRET, until } from "./found_server.ts";

const update = (content: string) => ({ url: `https://example.com/${content}`, content });

/** What servers have said that have found so many peers. */
const saying = (lines: readonly string[], count: number) =>
  lines.filter((line) => line === `info: Peers found in the bucket: ${count}`);

Deno.test("a server that joins is told and tells at once, with no change to the others", async () => {
  using log = captureLog();
  const store = new MemoryStore(systemEnvironment.clock);
  await using web1 = await FoundServer.start(store, { server: "web-1" });
  await using web2 = await FoundServer.start(store, { server: "web-2" });
  await until(() => saying(log.lines, 1).length >= 2);
  await using web3 = await FoundServer.start(store, { server: "web-3" });
  await until(() => saying(log.lines, 2).length >= 3);
  store.lacks = (key) => key.startsWith("present/web-4_"); // Only its greetings tell of it.
  await using web4 = await FoundServer.start(store, { server: "web-4" });
  await until(() => saying(log.lines, 3).length >= 4);
  const servers = [web1, web2, web3, web4];
  const { get } = store.requests;
  for (const { connection } of servers) await publish(connection, update(connection.server));
  await until(() => servers.every(({ contents }) => contents.length === 3));
  for (const { connection: { server }, contents } of servers) {
    const others = ["web-1", "web-2", "web-3", "web-4"].filter((name) => name !== server);
    assert.deepEqual(contents.toSorted(), others);
  }
  assert.equal(store.requests.get - get, 1 + 2 + 3, "each looks once whether the others encrypt");
  assert.deepEqual(log.lines.filter((line) => !line.startsWith("info")), []);
});

Deno.test("a server that does not look for peers is sent commits, and need not be greeted", async () => {
  using log = captureLog();
  const store = new MemoryStore(systemEnvironment.clock);
  await using web1 = await FoundServer.start(store, { server: "web-1", wake: { peers: [] } });
  await until(() => web1.presences(store).length === 1);
  await using web2 = await FoundServer.start(store, { server: "web-2" });
  await until(() => saying(log.lines, 1).length === 1);
  await publish(web2.connection, update("a"));
  await until(() => web1.contents.length === 1 && web2.connection.wakeUps.sent === 1);
  assert.deepEqual(log.lines.filter((line) => !line.startsWith("info")), []);
});

Deno.test("a server that advertises nothing tells the others, and is not told", async () => {
  using log = captureLog();
  const store = new MemoryStore(systemEnvironment.clock);
  await using web1 = await FoundServer.start(store, { server: "web-1" });
  await until(() => web1.presences(store).length === 1);
  const wake = { advertise: undefined };
  await using web2 = await FoundServer.start(store, { server: "web-2", wake });
  await until(() => saying(log.lines, 1).length === 1);
  await publish(web2.connection, update("a"));
  await until(() => web1.contents.length === 1);
  await publish(web1.connection, update("b"));
  await web1.close();
  assert.deepEqual(web1.connection.wakeUps, { sent: 0, dropped: 0 });
  assert.deepEqual(web2.contents, []);
});

Deno.test("servers with another secret are no peers of each other", async () => {
  using log = captureLog();
  const store = new MemoryStore(systemEnvironment.clock);
  const secret = `whsec_${btoa("a secret that the others lack")}`;
  await using web1 = await FoundServer.start(store, { server: "web-1" });
  await until(() => web1.presences(store).length === 1);
  await using web2 = await FoundServer.start(store, { server: "web-2", wake: { secret } });
  await until(() => store.requests.get >= 1);
  await publish(web2.connection, update("a"));
  await publish(web1.connection, update("b"));
  for (const { connection } of [web1, web2]) {
    await connection.close();
    assert.deepEqual(connection.wakeUps, { sent: 0, dropped: 0 });
  }
  assert.notEqual(secret, SECRET);
  assert.deepEqual(log.lines.filter((line) => !line.startsWith("info")), []);
});
