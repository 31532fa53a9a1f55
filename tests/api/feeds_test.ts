import assert from "node:assert/strict";
import { Connection } from "../../lib/connection.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { publish } from "../../lib/publish.ts";
import { ApiUnderTest } from "./server.ts";

const URL_A = "https://example.com/a";
const PATH = `/v1/feeds?url=${encodeURIComponent(URL_A)}`;

Deno.test("the newest content has an ETag, and 304 says that it is still the same", async () => {
  await using server = await ApiUnderTest.start();
  await server.post("/v1/updates", { url: URL_A, content: "<rss>ä</rss>" });
  const { status, text, headers } = await server.get(PATH);
  assert.deepEqual([status, text], [200, "<rss>ä</rss>"]);
  assert.equal(headers.get("feedsync-server"), "web-1");
  const etag = headers.get("etag")!;
  for (const tag of [etag, `"x", W/${etag}`, "*"]) {
    const again = await server.get(PATH, { "if-none-match": tag });
    assert.deepEqual([again.status, again.text, again.headers.get("etag")], [304, "", etag]);
  }
  await server.post("/v1/updates", { url: URL_A, content: "other" });
  assert.equal((await server.get(PATH, { "if-none-match": etag })).text, "other");
});

Deno.test("feed content can neither run nor be taken for a page", async () => {
  await using server = await ApiUnderTest.start();
  const content = '<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>';
  for (
    const update of [{ content }, { content: { a: 1 } }, { content: "AP8=", encoding: "base64" }]
  ) {
    await server.post("/v1/updates", { url: URL_A, ...update });
    const { headers } = await server.get(PATH);
    assert.equal(headers.get("content-security-policy"), "sandbox; default-src 'none'");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("content-disposition"), "attachment");
    assert.match(headers.get("content-type")!, /^(text\/plain|application\/octet-stream)/);
  }
});

Deno.test("a feed that is gone is 410, one that nobody published 404", async () => {
  await using server = await ApiUnderTest.start();
  assert.equal((await server.get(PATH)).status, 404);
  await server.post("/v1/updates", { url: URL_A, content: "a" });
  const gone = await server.request("DELETE", PATH);
  assert.deepEqual([gone.status, gone.json.status], [201, "published"]);
  assert.equal((await server.get(PATH)).json.error.name, "FeedGoneError");
  assert.equal((await server.get(`${PATH}&as=update`)).json.removed, true);
  const again = await server.request("DELETE", PATH);
  assert.deepEqual([again.status, again.json.status], [200, "unchanged"]);
});

Deno.test("all feeds are listed as JSON lines, by age and server", async () => {
  await using server = await ApiUnderTest.start();
  await using other = new Connection(resolveConfig({ server: "web-2" }), server.store);
  await publish(other, { url: "https://example.com/other", content: "o" });
  const updates = Array.from({ length: 2000 }, (_, i) => ({ url: `${URL_A}${i}`, content: "a" }));
  await server.post("/v1/updates", updates);
  const { status, lines } = await server.get("/v1/feeds");
  assert.deepEqual([status, lines.length], [200, 2001]);
  const own = await server.get("/v1/feeds?server=web-2&since=1h");
  assert.deepEqual(own.lines.map(({ url }) => url), ["https://example.com/other"]);
  assert.equal((await server.get("/v1/feeds?as=update")).status, 400);
  assert.match((await server.get("/v1/feeds?since=x")).text, /duration/);
});
