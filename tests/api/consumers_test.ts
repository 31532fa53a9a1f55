import assert from "node:assert/strict";
import { Connection } from "../../lib/connection.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { publish } from "../../lib/publish.ts";
import { ApiUnderTest } from "./server.ts";

const URL_A = "https://example.com/a", ME = "/v1/consumers/me";

/** A server that watches, and another one that publishes. */
async function pair() {
  const server = await ApiUnderTest.start({ watching: true });
  const other = new Connection(resolveConfig({ server: "web-2" }), server.store);
  return {
    server,
    async publish(...contents: string[]) {
      await publish(other, contents.map((content) => ({ url: URL_A, content })));
      await server.watcher!.poll();
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await other.close();
    },
  };
}

Deno.test("a consumer is handed updates until it acknowledges them", async () => {
  await using both = await pair();
  const { server } = both;
  await server.watcher!.poll();
  const made = await server.send("PUT", ME, { from: "now" });
  assert.deepEqual([made.status, made.json.name, made.json.own], [201, "me", false]);
  assert.equal((await server.send("PUT", ME, { from: "now" })).status, 200);
  await both.publish("1", "2", "3");
  const { lines } = await server.get(`${ME}/updates?limit=2`);
  assert.deepEqual(lines.map(({ update }) => update.content), ["1", "2"]);
  const again = await server.get(`${ME}/updates?limit=2`);
  assert.deepEqual(again.lines, lines);
  const { cursor } = lines[1];
  const ahead = await server.get(`${ME}/updates?after=${cursor}&content=bytes`);
  assert.deepEqual(ahead.lines.map(({ update }) => update.content), [btoa("3")]);
  const acked = await server.post(`${ME}/ack`, { cursor });
  assert.deepEqual([acked.status, acked.json.cursor, acked.json.behindUpdates], [200, cursor, 1]);
  assert.equal((await server.post(`${ME}/ack`, { cursor: lines[0].cursor })).status, 200);
  const rest = await server.get(`${ME}/updates?content=none&maxBytes=1B`);
  assert.deepEqual(rest.lines.map(({ update }) => update.seq), [3]);
  assert.deepEqual((await server.get("/v1/consumers")).json.length, 1);
});

Deno.test("newest begins with the newest update of every feed, and own ones count if asked for", async () => {
  await using both = await pair();
  const { server } = both;
  await both.publish("1", "2");
  await server.post("/v1/updates", { url: "https://example.com/own", content: "own" });
  await server.send("PUT", ME, { from: "newest", own: true });
  const { lines } = await server.get(`${ME}/updates?wait=10s`);
  assert.deepEqual(lines.map(({ update }) => update.content).sort(), ["2", "own"]);
});

Deno.test("a waiting consumer has an update at once", async () => {
  await using both = await pair();
  const { server } = both;
  await server.watcher!.poll();
  await server.send("PUT", ME, { from: "now" });
  const waiting = server.get(`${ME}/updates?wait=25s`);
  await both.publish("1");
  assert.equal((await waiting).lines[0].update.content, "1");
});

Deno.test("a younger reader takes the place of an older one", async () => {
  await using both = await pair();
  const { server } = both;
  await server.send("PUT", ME, { from: "now" });
  const older = server.get(`${ME}/updates?wait=25s`);
  const younger = server.get(`${ME}/updates?wait=100ms`);
  const statuses = (await Promise.all([older, younger])).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [200, 409]);
});

Deno.test("consumers seek, are deleted, and errors tell what was wrong", async () => {
  await using both = await pair();
  const { server } = both;
  await server.watcher!.poll();
  await server.send("PUT", ME, { from: "now" });
  await both.publish("1", "2");
  const { lines: [first] } = await server.get(`${ME}/updates`);
  await server.post(`${ME}/seek`, { to: "now" });
  assert.equal((await server.get(`${ME}/updates`)).text, "");
  const { json } = await server.post(`${ME}/seek`, { to: { cursor: first.cursor } });
  assert.equal(json.cursor, first.cursor);
  assert.equal((await server.get(`${ME}/updates`)).lines[0].update.content, "2");
  const [epoch] = first.cursor.split("-");
  const cases: [Promise<{ status: number; text: string }>, number, string][] = [
    [server.post(`${ME}/ack`, { cursor: "x" }), 400, "InvalidCursorError"],
    [server.post(`${ME}/ack`, { cursor: `${epoch}-zzzz` }), 400, "InvalidCursorError"],
    [server.post(`${ME}/ack`, { cursor: "aaaaaaaa-1" }), 410, "ExpiredCursorError"],
    [server.post(`${ME}/ack`, {}), 400, "InvalidRequestError"],
    [server.post(`${ME}/seek`, { to: "later" }), 400, "InvalidRequestError"],
    [server.get(`${ME}/updates?wait=1h`), 400, "InvalidRequestError"],
    [server.get(`${ME}/updates?limit=0`), 400, "InvalidRequestError"],
    [server.get(`${ME}/updates?waiting=1s`), 400, "InvalidRequestError"],
    [server.send("PUT", "/v1/consumers/-", { from: "now" }), 400, "InvalidRequestError"],
    [server.send("PUT", ME, { from: "then" }), 400, "InvalidRequestError"],
    [server.get("/v1/consumers/nobody/updates"), 404, "UnknownConsumerError"],
  ];
  for (const [answered, status, name] of cases) {
    const { status: actual, text } = await answered;
    assert.deepEqual([actual, JSON.parse(text).error.name], [status, name], text);
  }
  const expired = await server.post(`${ME}/ack`, { cursor: "aaaaaaaa-1" });
  assert.equal(expired.json.error.cursor, first.cursor);
  assert.equal((await server.request("DELETE", ME)).status, 204);
  assert.equal((await server.request("DELETE", ME)).status, 404);
});

Deno.test("a hundred consumers wait at once, and all are handed the update", async () => {
  await using both = await pair();
  const { server } = both;
  await server.watcher!.poll();
  const names = Array.from({ length: 100 }, (_, index) => `/v1/consumers/c${index}`);
  for (const name of names) await server.send("PUT", name, { from: "now" });
  const waiting = names.map((name) => server.get(`${name}/updates?wait=25s`));
  await both.publish("1");
  const answers = await Promise.all(waiting);
  assert.ok(answers.every(({ lines }) => lines[0].update.content === "1"));
  assert.equal(
    (await server.send("PUT", ME, { from: "now" })).json.error.name,
    "TooManyConsumersError",
  );
});
