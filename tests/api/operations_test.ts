import assert from "node:assert/strict";
import { ConfigError, StoreUnavailableError } from "../../lib/errors.ts";
import { Connection } from "../../lib/connection.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { definePlugin } from "../../lib/plugin.ts";
import { publish } from "../../lib/publish.ts";
import { RejectedUpdateError } from "../../lib/errors.ts";
import { failing } from "../memory_store.ts";
import { ApiUnderTest } from "./server.ts";

const URL_A = "https://example.com/a";

Deno.test("due and checked take turns at fetching feeds", async () => {
  await using server = await ApiUnderTest.start();
  const asked = { urls: ["HTTPS://Example.com/a", "nowhere"], every: "15m" };
  const { status, json: [turn, wrong] } = await server.post("/v1/due", asked);
  assert.deepEqual([status, turn.url, turn.due], [200, asked.urls[0], true]);
  assert.deepEqual([wrong.url, wrong.due, wrong.reason], ["nowhere", false, "invalid"]);
  const { json: next } = await server.post("/v1/checked", {
    url: URL_A,
    status: 200,
    headers: { ETag: '"1"' },
    content: "<rss/>",
    ttl: "1h",
  });
  assert.ok(Date.parse(next.next) > Date.now() + 3_000_000);
  const { json: [again] } = await server.post("/v1/due", asked);
  assert.deepEqual([again.due, again.reason], [false, "fresh"]);
  for (const wrong of [{ urls: [] }, { urls: [1], every: "1m" }, { urls: [], every: "x" }]) {
    assert.equal((await server.post("/v1/due", wrong)).status, 400);
  }
  const { status: refused } = await server.post("/v1/checked", { url: "nowhere", status: 200 });
  assert.equal(refused, 400);
});

Deno.test("dead letters are listed, retried and dropped", async () => {
  let works = false;
  const plugin = definePlugin({
    name: "picky",
    onUpdate() {
      if (!works) throw new RejectedUpdateError("Not this one");
    },
  });
  await using server = await ApiUnderTest.start({ watching: true, plugins: [plugin as never] });
  await using other = new Connection(resolveConfig({ server: "web-2" }), server.store);
  await publish(other, ["1", "2", "3"].map((id) => ({ url: URL_A + id, content: "a" })));
  await server.watcher!.poll();
  const { json: letters } = await server.get("/v1/dead-letters");
  assert.deepEqual(
    letters.map(({ url }: { url: string }) => url),
    ["1", "2", "3"].map((id) => URL_A + id),
  );
  const [first, second, third] = letters.map(({ id }: { id: number }) => id);
  const failed = await server.post("/v1/dead-letters/retry", { ids: [first] });
  assert.deepEqual(failed.lines.map(({ id, status }) => [id, status]), [[first, "failed"]]);
  works = true;
  const dropped = await server.request("DELETE", `/v1/dead-letters?id=${second}&id=${third}&id=99`);
  assert.deepEqual(dropped.json, { dropped: 2 });
  assert.equal((await server.get("/v1/dead-letters")).json.length, 1);
  assert.equal((await server.request("DELETE", "/v1/dead-letters")).status, 400);
});

Deno.test("status tells of the fleet, and asks the store no more than needed", async () => {
  await using server = await ApiUnderTest.start();
  const { status, json } = await server.get("/v1/status");
  assert.deepEqual([status, json.servers, json.store], [200, [], "memory:"]);
  const { list } = server.store.requests;
  await Promise.all([server.get("/v1/status"), server.get("/v1/status")]);
  assert.equal(server.store.requests.list, list, "it is remembered for a moment");
});

Deno.test("neither the store nor what lies in it has a part in health", async () => {
  await using server = await ApiUnderTest.start({ publishTimeout: 20 });
  for (const operation of ["put", "get", "list"] as const) {
    server.store.before(operation, failing(new StoreUnavailableError("away")));
  }
  await server.post("/v1/updates", { url: URL_A, content: "a" });
  const failed = await server.get("/v1/status");
  assert.deepEqual([failed.status, failed.json.error.name], [503, "StoreUnavailableError"]);
  for (const path of ["/livez", "/readyz"]) {
    const response = await fetch(server.origin + path); // Without the token.
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: "ok" });
  }
});

Deno.test("metrics have names and labels that nobody else chooses", async () => {
  await using server = await ApiUnderTest.start();
  await server.post("/v1/updates", { url: URL_A, content: "a" });
  await server.get("/v1/feeds?url=https://example.com/unknown");
  await server.request("GET", "/secret/path");
  await server.send("PUT", "/v1/consumers/me", { from: "now" });
  const { text, headers } = await server.get("/metrics");
  assert.match(headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  for (
    const line of [
      'feedsync_api_requests_total{route="/v1/updates",method="POST",status="201"} 1',
      'feedsync_api_updates_total{status="published"} 1',
      'feedsync_store_requests_total{operation="put"} 1',
      "feedsync_queued_updates 0",
      "feedsync_feeds 1",
      "feedsync_consumers 1",
    ]
  ) assert.ok(text.includes(`\n${line}\n`), `${line} in ${text}`);
  assert.doesNotMatch(text, /example\.com|secret|web-1|"me"/);
  const samples = text.split("\n").filter((line) => line && !line.startsWith("#"));
  assert.ok(samples.every((line) => line.startsWith("feedsync_")));
  assert.match(
    (await server.get("/metrics")).text,
    /operation="put"} 1\n/,
    "it counts nothing twice",
  );
});

Deno.test("without a section api, nothing is served", async () => {
  const { serveApi } = await import("../../lib/api/serve_api.ts");
  await using sync = new Connection(resolveConfig({}), undefined);
  await assert.rejects(serveApi(sync), ConfigError);
});
