import assert from "node:assert/strict";
import { StoreUnavailableError } from "../../lib/errors.ts";
import { newest } from "../../lib/newest.ts";
import { failing, hanging } from "../memory_store.ts";
import { nestedText } from "../hostile/values.ts";
import { ApiUnderTest } from "./server.ts";

const URL_A = "https://example.com/a", URL_B = "https://example.com/b";

const NDJSON = { "content-type": "application/x-ndjson" };

Deno.test("an update is answered with 201 when it is in the bucket", async () => {
  await using server = await ApiUnderTest.start();
  const { status, json } = await server.post("/v1/updates", { url: URL_A, content: "a" });
  assert.equal(status, 201);
  assert.deepEqual([json.status, json.url, json.seq], ["published", URL_A, 1]);
  assert.equal(json.stream, server.connection.stream);
  assert.equal(server.store.requests.put, 1);
});

Deno.test("an array is published as a whole, and answered in order", async () => {
  await using server = await ApiUnderTest.start();
  const updates = [
    { url: URL_A, content: { title: "a" }, metadata: { by: "me" } },
    { url: URL_B, content: "AP8=", encoding: "base64" },
    { url: URL_A, removed: true },
  ];
  const { status, json } = await server.post("/v1/updates", updates);
  assert.equal(status, 201);
  assert.deepEqual(json.map(({ url, seq }: { url: string; seq: number }) => [url, seq]), [
    [URL_A, 1],
    [URL_B, 2],
    [URL_A, 3],
  ]);
  assert.deepEqual((await newest(server.connection, URL_B))?.content, new Uint8Array([0, 255]));
});

Deno.test("JSON lines are published all or none, and an error names the line", async () => {
  await using server = await ApiUnderTest.start();
  const wrong: [string, RegExp][] = [
    [`{"url":"${URL_A}","content":"a"}\n\n{"url":"nowhere","content":"b"}`, /^line 3: .*nowhere/],
    [`{"url":"${URL_A}","content":"a"}\n{"url":"${URL_B}"}\n`, /^line 2: .*'content' is missing/],
    [`{"url":"${URL_A}","content":"a"}\n{"url":`, /^line 2 is not valid JSON/],
    [`{"url":"${URL_A}","contents":"a"}`, /line 1: Unrecognized key: "contents"/],
    [`{"url":"${URL_A}","content":"*","encoding":"base64"}`, /^line 1: .*base64/],
  ];
  for (const [body, message] of wrong) {
    const { status, json } = await server.request("POST", "/v1/updates", { body, headers: NDJSON });
    assert.equal(status, 400);
    assert.match(json.error.message, message);
  }
  assert.equal(server.connection.parts!.state.outbox.lastRow(), 0);
  const body = `{"url":"${URL_A}","content":"a"}\n{"url":"${URL_B}","content":"b"}\n`;
  const { status, lines } = await server.request("POST", "/v1/updates", { body, headers: NDJSON });
  assert.deepEqual([status, lines.map(({ seq }) => seq)], [201, [1, 2]]);
});

Deno.test("with url, the body is the content byte for byte", async () => {
  await using server = await ApiUnderTest.start();
  const path = `/v1/updates?url=${encodeURIComponent(URL_A)}`;
  const headers = { "content-type": "application/rss+xml" };
  const text = "\ufeff<rss>\r\n</rss>";
  const first = await server.request("POST", path, { body: text, headers });
  assert.equal(first.status, 201);
  assert.equal((await newest(server.connection, URL_A))?.content, text);
  const bytes = new Uint8Array([0xff, 0xfe, 0]);
  await server.request("POST", path, { body: bytes, headers });
  assert.deepEqual((await newest(server.connection, URL_A))?.content, bytes);
  const again = await server.request("POST", `${path}&ifChanged`, { body: bytes, headers });
  assert.deepEqual([again.status, again.json.status], [200, "unchanged"]);
  const empty = await server.request("POST", path, { body: "", headers });
  assert.equal(empty.json.error.name, "InvalidUpdateError");
});

Deno.test("with status, a fetched feed is published and checked by one request", async () => {
  await using server = await ApiUnderTest.start();
  await server.post("/v1/due", { urls: [URL_A], every: "15m" });
  const query = new URLSearchParams({ url: URL_A, ifChanged: "true", status: "200", etag: '"1"' });
  const { status, json } = await server.request("POST", `/v1/updates?${query}`, {
    body: "<rss/>",
    headers: { "content-type": "text/xml" },
  });
  assert.deepEqual([status, json.checked.url], [201, URL_A]);
  const { json: [turn] } = await server.post("/v1/due", { urls: [URL_A], every: "15m" });
  assert.deepEqual([turn.due, turn.reason], [false, "fresh"]);
});

Deno.test("what the store does not take is 202, and can be asked for later", async () => {
  await using server = await ApiUnderTest.start({ publishTimeout: 50 });
  const mend = server.store.before("put", failing(new StoreUnavailableError("The store is away")));
  const { status, json, headers } = await server.post("/v1/updates", { url: URL_A, content: "a" });
  assert.equal(status, 202);
  assert.equal(json.status, "queued");
  assert.match(json.reason, /The store is away/);
  const path = headers.get("location")!;
  assert.equal(path, `/v1/updates/${json.id}`);
  assert.equal((await server.get(path)).json.status, "queued");
  mend();
  const next = await server.post("/v1/updates", { url: URL_B, content: "b" }, {
    prefer: "wait=20",
  });
  assert.equal(next.status, 201);
  const later = (await server.get(path)).json;
  assert.deepEqual([later.status, later.id, later.seq], ["published", json.id, 1]);
  assert.equal((await server.get("/v1/updates/unknown")).status, 404);
});

Deno.test("a store that refuses is 202, too: the update is not lost", async () => {
  await using server = await ApiUnderTest.start();
  const { AccessDeniedError } = await import("../../lib/errors.ts");
  server.store.before("put", failing(new AccessDeniedError("No")));
  const { status, json } = await server.post("/v1/updates", { url: URL_A, content: "a" });
  assert.deepEqual([status, json.status], [202, "queued"]);
});

Deno.test("Prefer says how long to wait for the store", async () => {
  await using server = await ApiUnderTest.start();
  const mend = server.store.before("put", hanging());
  const { status, headers } = await server.post("/v1/updates", { url: URL_A, content: "a" }, {
    prefer: "respond-async, wait=0",
  });
  assert.deepEqual([status, headers.get("preference-applied")], [202, "wait=0"]);
  mend();
});

Deno.test("an id that is given again has the same receipt, and publishes nothing", async () => {
  await using server = await ApiUnderTest.start();
  const update = { url: URL_A, content: "a", id: "import 7" };
  const first = await server.post("/v1/updates", update);
  const again = await server.post("/v1/updates", [update, { url: URL_B, content: "b" }]);
  assert.deepEqual(again.json[0], first.json);
  assert.equal(again.json[1].seq, 2);
  assert.deepEqual((await server.get("/v1/updates/import%207")).json, first.json);
  const other = await server.post("/v1/updates", { ...update, content: "b" });
  assert.deepEqual([other.status, other.json.error.name], [409, "UpdateConflictError"]);
  const elsewhere = await server.post("/v1/updates", [{ ...update, url: URL_B }]);
  assert.equal(elsewhere.status, 409);
  assert.equal(server.connection.parts!.state.outbox.lastRow(), 2);
});

Deno.test("an id is remembered even if nothing had changed: a late repetition undoes nothing", async () => {
  await using server = await ApiUnderTest.start();
  await server.post("/v1/updates", { url: URL_A, content: "a" });
  const update = { url: URL_A, content: "a", id: "x" };
  const first = await server.post("/v1/updates?ifChanged", update);
  assert.equal(first.json.status, "unchanged");
  await server.post("/v1/updates", { url: URL_A, content: "newer" });
  const again = await server.post("/v1/updates?ifChanged", update);
  assert.deepEqual([again.status, again.json], [200, first.json]);
  assert.equal((await newest(server.connection, URL_A))?.content, "newer");
});

Deno.test("Idempotency-Key is the same thing, for several updates, too", async () => {
  await using server = await ApiUnderTest.start();
  const key = { "idempotency-key": "k" };
  const updates = [{ url: URL_A, content: "a" }, { url: URL_B, content: "b" }];
  const first = await server.post("/v1/updates", updates, key);
  const again = await server.post("/v1/updates", updates, key);
  assert.deepEqual(again.json, first.json);
  const other = await server.post("/v1/updates", updates.toReversed(), key);
  assert.equal(other.status, 409);
  const both = await server.post("/v1/updates", [{ ...updates[0], id: "x" }], key);
  assert.equal(both.status, 400);
});

Deno.test("the bounds of publish() hold", async () => {
  await using server = await ApiUnderTest.start();
  const deep = `{"url":"${URL_A}","content":${nestedText("[", "]", 100_000)}}`;
  const headers = { "content-type": "application/json" };
  const { status, json } = await server.request("POST", "/v1/updates", { body: deep, headers });
  assert.equal(status, 400);
  assert.match(json.error.message, /nested deeper/);
});
