import assert from "node:assert/strict";
import { raw, requestText, statusIn } from "./raw.ts";
import { ApiUnderTest, TOKEN } from "./server.ts";

const AUTHORIZATION = `Bearer ${TOKEN}`;

async function statusOf(
  server: ApiUnderTest,
  headers: Record<string, string>,
  { line = "GET /v1/consumers", body = "" } = {},
): Promise<number> {
  const own = { Host: server.api.address, Authorization: AUTHORIZATION };
  return statusIn(
    await raw({ port: server.port }, requestText(line, { ...own, ...headers }, body)),
  );
}

Deno.test("requests must come under an IP address, localhost, or a configured name", async () => {
  await using server = await ApiUnderTest.start({ api: { hosts: ["Feeds.example.com"] } });
  const { port } = server;
  const allowed = [
    "127.0.0.1",
    `127.0.0.1:${port}`,
    `[::1]:${port}`,
    "localhost",
    `LOCALHOST:${port}`,
    "192.0.2.7:80",
    "feeds.example.com",
    "Feeds.Example.com:8443",
  ];
  for (const host of allowed) assert.equal(await statusOf(server, { Host: host }), 200, host);
  const rebound = [
    "evil.example",
    `evil.example:${port}`,
    "localhost.evil.example",
    "127.0.0.1.evil.example",
  ];
  for (const host of rebound) assert.equal(await statusOf(server, { Host: host }), 403, host);
  const malformed = [
    "",
    "a b",
    "localhost:",
    "localhost:x",
    "http://localhost",
    "localhost/",
    "me@localhost",
    "[::1",
    "%",
  ];
  for (const host of malformed) assert.equal(await statusOf(server, { Host: host }), 400, host);
  const twice =
    `GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
  assert.equal(statusIn(await raw({ port }, twice)), 400);
  assert.equal(
    statusIn(await raw({ port }, "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")),
    400,
  );
});

Deno.test("the name in the request line is worth no more than that in the header", async () => {
  await using server = await ApiUnderTest.start();
  const line = "GET http://localhost/livez";
  assert.equal(await statusOf(server, { Host: "evil.example" }, { line }), 403);
});

Deno.test("pages of other origins are refused, whatever they send", async () => {
  await using server = await ApiUnderTest.start();
  const own = `http://${server.api.address}`;
  const origins: [string, number][] = [
    [own, 200],
    [own.replace("http:", "https:"), 200], // Behind a proxy.
    ["null", 403],
    ["http://evil.example", 403],
    [`http://localhost:${server.port}`, 403], // Another name of the same machine.
    [`${own}0`, 403],
    ["http://127.0.0.1", 403],
    ["file://", 403],
    ["", 403],
  ];
  for (const [Origin, status] of origins) {
    assert.equal(await statusOf(server, { Origin }), status, Origin);
  }
  const sites: [string, number][] = [
    ["same-origin", 200],
    ["none", 200],
    ["same-site", 403],
    ["cross-site", 403],
    ["?", 403],
  ];
  for (const [site, status] of sites) {
    assert.equal(await statusOf(server, { "Sec-Fetch-Site": site }), status, site);
  }
});

Deno.test("neither forms nor preflights get anywhere", async () => {
  await using server = await ApiUnderTest.start();
  const line = "POST /v1/updates", body = 'url=https%3A%2F%2Fexample.com%2F&content="a"';
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  const foreign = { ...form, Origin: "https://evil.example" };
  assert.equal(await statusOf(server, foreign, { line, body }), 403);
  assert.equal(await statusOf(server, { ...form, Origin: "null" }, { line, body }), 403);
  assert.equal(await statusOf(server, form, { line, body }), 415, "of an old browser");
  const bytes = `${line}?url=https://example.com/`;
  assert.equal(await statusOf(server, form, { line: bytes, body }), 415);
  const json = { "Content-Type": "text/plain" };
  const text = '{"url":"https://example.com/","content":"a"}';
  assert.equal(await statusOf(server, json, { line, body: text }), 415);
  const preflight = { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" };
  assert.equal(await statusOf(server, preflight, { line: "OPTIONS /v1/updates" }), 403);
  assert.equal(await statusOf(server, {}, { line: "OPTIONS /v1/updates" }), 405);
  assert.equal(server.connection.parts!.state.outbox.lastRow(), 0);
});

Deno.test("no GET changes anything", async () => {
  await using server = await ApiUnderTest.start();
  await server.send("PUT", "/v1/consumers/me", { from: "now" });
  const before = (await server.get("/v1/consumers")).json;
  const paths = ["/v1/updates", "/v1/consumers/me/ack", "/v1/dead-letters/retry", "/v1/due"];
  for (const path of paths) assert.equal(await statusOf(server, {}, { line: `GET ${path}` }), 405);
  assert.deepEqual((await server.get("/v1/consumers")).json[0].cursor, before[0].cursor);
});

Deno.test("the token is required as bearer, or as password", async () => {
  await using server = await ApiUnderTest.start();
  const right = [
    AUTHORIZATION,
    `bearer  ${TOKEN}`,
    `Basic ${btoa(`anybody:${TOKEN}`)}`,
    `basic ${btoa(`:${TOKEN}`)}`,
  ];
  for (const given of right) {
    assert.equal(await statusOf(server, { Authorization: given }), 200, given);
  }
  const wrong = [
    "",
    "Bearer",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    TOKEN,
    `Digest ${TOKEN}`,
    `Basic ${btoa(TOKEN)}`,
    `Basic ${btoa(`${TOKEN}:`)}`,
    "Basic ***",
    `Bearer ${TOKEN.toUpperCase()}`,
  ];
  for (const given of wrong) {
    assert.equal(await statusOf(server, { Authorization: given }), 401, given);
  }
  const answer = await fetch(`${server.origin}/nowhere`);
  assert.equal(answer.status, 401, "that there is nothing is told to nobody");
  assert.match(answer.headers.get("www-authenticate")!, /^Basic realm=.*, Bearer realm=/);
  await answer.body?.cancel();
});

Deno.test("without a token, the other rules still hold", async () => {
  await using server = await ApiUnderTest.start({ api: { token: false } });
  assert.equal(await statusOf(server, { Authorization: "" }), 200);
  assert.equal(await statusOf(server, { Authorization: "", Origin: "https://evil.example" }), 403);
  assert.equal(await statusOf(server, { Authorization: "", Host: "evil.example" }), 403);
});
