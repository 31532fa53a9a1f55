import assert from "node:assert/strict";
import { EventHub } from "../../lib/api/events/hub.ts";
import { EventQueue } from "../../lib/api/events/queue.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { Connection } from "../../lib/connection.ts";
import { RejectedUpdateError, StoreUnavailableError } from "../../lib/errors.ts";
import type { FleetStatus } from "../../lib/fleet/status/fleet_status.ts";
import { definePlugin } from "../../lib/plugin.ts";
import { publish } from "../../lib/publish.ts";
import { status } from "../../lib/status.ts";
import { failing } from "../memory_store.ts";
import { VirtualTime } from "../virtual_time.ts";
import { EventReader } from "./event_reader.ts";
import { raw, requestText, statusIn } from "./raw.ts";
import { ApiUnderTest, TOKEN } from "./server.ts";

const URL_A = "https://example.com/a";

/** What nobody may see who only looks on. */
const SECRET = "the content of a feed";

/** Another server with the same bucket. */
function other({ store }: ApiUnderTest): Connection {
  return new Connection(resolveConfig({ server: "web-2" }), store);
}

Deno.test("updates are told as they arrive, and none of their contents", async () => {
  await using server = await ApiUnderTest.start({ watching: true });
  await using web2 = other(server);
  await using events = await EventReader.open(server);
  assert.deepEqual(await events.until("updates"), { total: 0, updates: [] });
  const update = { content: SECRET, metadata: { secret: SECRET } };
  await publish(web2, [
    { ...update, url: "https://me:password@example.com/a" },
    { url: `${URL_A}2`, removed: true },
  ]);
  await server.watcher!.poll();
  const { total, updates } = await events.until("updates", ({ total }) => total > 0);
  assert.equal(total, 2);
  assert.deepEqual(
    updates.map(({ number, url, server, removed, own }) => [
      ...[number, url, server, removed, own],
    ]),
    [
      [1, "https://me:…@example.com/a", "web-2", undefined, undefined],
      [2, `${URL_A}2`, "web-2", true, undefined],
    ],
  );
  await server.post("/v1/updates", { ...update, url: URL_A });
  const { updates: [own] } = await events.until("updates");
  assert.deepEqual([own.number, own.url, own.server, own.own], [3, URL_A, "web-1", true]);
  const late = await EventReader.open(server);
  assert.equal((await late.until("updates")).updates.length, 3, "who comes later sees the last");
  await late[Symbol.asyncDispose]();
  assert.doesNotMatch(events.text, /content of a feed|password|metadata/);
});

Deno.test("dead letters are told when they come and go, and the fleet as it is now", async () => {
  const plugin = definePlugin({
    name: "picky",
    onUpdate: () => Promise.reject(new RejectedUpdateError("Not\nthis\u202eone")),
  });
  await using server = await ApiUnderTest.start({ watching: true, plugins: [plugin as never] });
  await using web2 = other(server);
  const { member } = server.connection.parts!;
  await member.keep();
  await publish(web2, { url: URL_A, content: "a" });
  await server.watcher!.poll();
  await using events = await EventReader.open(server);
  const { count, letters: [letter] } = await events.until("letters");
  assert.deepEqual([count, letter.plugin, letter.url], [1, "picky", URL_A]);
  assert.match(letter.error, /Not this\\u202eone/, "on one line, without what turns it round");
  const isUrgent = (kinds: readonly { kind: string }[] = []) =>
    kinds.some(({ kind }) => kind === "dead-letters");
  const { servers: [row] = [] } = await events.until("fleet", (fleet) => isUrgent(fleet.problems));
  assert.deepEqual([row.level, row.cells.letters, row.urgent], ["problem", "1", ["letters"]]);
  await server.request("DELETE", `/v1/dead-letters?id=${letter.id}`);
  assert.deepEqual(await events.until("letters"), { count: 0, letters: [] });
  const well = await events.until("fleet", (fleet) => !isUrgent(fleet.problems));
  assert.equal(well.servers?.[0].level, "well", "the presence was not written again");
});

Deno.test("that the store is away is told instead of the fleet", async () => {
  await using server = await ApiUnderTest.start();
  server.store.before("list", failing(new StoreUnavailableError("The store is away")));
  await using events = await EventReader.open(server);
  const { error, servers } = await events.until("fleet");
  assert.deepEqual([error?.name, error?.message, servers], [
    "StoreUnavailableError",
    "The store is away",
    undefined,
  ]);
});

Deno.test("a page that is loaded again at once learns how the fleet is", async () => {
  const { clock } = new VirtualTime(); // It does not pass.
  await using server = await ApiUnderTest.start();
  const { connection } = server, asked = Promise.withResolvers<FleetStatus>();
  const hub = new EventHub({ connection, version: "1.0.0", clock, status: () => asked.promise });
  await hub.subscribe().return();
  const queue = hub.subscribe();
  asked.resolve(await status(connection));
  for (let text = ""; !text.startsWith("event: fleet");) {
    text = new TextDecoder().decode((await queue.next()).value);
  }
  hub.close();
});

Deno.test("something is told every 15 seconds, with the numbers of the last half hour", async () => {
  const time = new VirtualTime();
  await using server = await ApiUnderTest.start();
  const { connection } = server;
  const hub = new EventHub({
    connection,
    version: "1.0.0",
    clock: time.clock,
    status: () => status(connection),
  });
  const queue = hub.subscribe();
  const texts: string[] = [];
  const reading = (async () => {
    for (;;) {
      const { value, done } = await queue.next();
      if (done) return;
      texts.push(new TextDecoder().decode(value));
    }
  })();
  await time.pass(31_000);
  const told = texts.filter((text) => text.startsWith("event: server"));
  assert.equal(told.length, 3, "at first, and then every 15 seconds");
  assert.match(told.at(-1)!, /"history":{"behindSeconds":\[0,0\],"queued":\[0,0\]/);
  await queue.return();
  await reading;
  hub.close();
  await time.pass(60_000);
  assert.equal(texts.filter((text) => text.startsWith("event: server")).length, 3);
});

Deno.test("what a slow client has not read takes bounded memory", async () => {
  const queue = new EventQueue(() => {}), bytes = new Uint8Array(1000);
  for (let i = 0; i < 1000; i++) {
    for (const name of ["server", "fleet", "letters", "updates"] as const) {
      queue.push({ name, bytes });
    }
  }
  let left = 0;
  while (await Promise.race([queue.next(), Promise.resolve(undefined)])) left++;
  assert.ok(left > 3 && left * bytes.length < 300_000, `${left}`);
});

Deno.test("a hundred clients that never read are served, and let go at the stop", async () => {
  await using server = await ApiUnderTest.start();
  const request = requestText("GET /v1/events", {
    Host: "localhost",
    Authorization: `Bearer ${TOKEN}`,
    Connection: "keep-alive",
  });
  const clients: Deno.TcpConn[] = [];
  for (let i = 0; i < 100; i++) {
    const connection = await Deno.connect({ port: server.port });
    await connection.write(new TextEncoder().encode(request));
    await connection.read(new Uint8Array(100));
    clients.push(connection);
  }
  assert.equal(statusIn(await raw({ port: server.port }, request)), 503);
  clients.pop()!.close();
  // The place is free as soon as the server notices.
  for (let status = 503; status !== 200;) {
    status = statusIn(await raw({ port: server.port }, request));
  }
  assert.equal((await server.post("/v1/updates", { url: URL_A, content: "a" })).status, 201);
  await server.api.close(); // It waits for nobody.
  for (const client of clients) client.close();
});

Deno.test("the stop ends events before connections, so that nothing is cut off", async () => {
  await using server = await ApiUnderTest.start();
  await using events = await EventReader.open(server);
  await events.until("fleet");
  await server.api.close();
  while (await events.next());
});
