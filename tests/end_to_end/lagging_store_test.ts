/** A service behind a cache that does not show what is there, and that lists in no order. */
import assert from "node:assert/strict";
import { connect } from "../../lib/connect.ts";
import { publish } from "../../lib/publish.ts";
import { feedsync, workspace } from "../cli/feedsync.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { httpProxy, s3Failure } from "../servers/http.ts";

/** Ways to say that there is nothing. */
const MISSES: Record<string, () => Response> = {
  "NoSuchKey": () => s3Failure(404, "NoSuchKey", "The specified key does not exist."),
  "a proxy's page": () =>
    new Response("<html><body>Not found</body></html>", {
      status: 404,
      headers: { "content-type": "text/html" },
    }),
};

/** The listing with its objects the other way round. */
async function reversed(answer: Response): Promise<Response> {
  const xml = await answer.text();
  const objects = xml.match(/<Contents>.*?<\/Contents>/gs) ?? [];
  const headers = new Headers(answer.headers);
  headers.delete("content-length");
  let left = objects.length;
  const turned = xml.replace(/<Contents>.*?<\/Contents>/gs, () => objects[--left]);
  return new Response(turned, { status: answer.status, headers });
}

for (const [name, miss] of Object.entries(MISSES)) {
  Deno.test(`tail shows all that is listed while GETs answer ${name}, or says what is held back`, async () => {
    await using service = await fauxqsServer("feed-sync");
    const missed = new Map<string, number>();
    let most = 0;
    await using proxy = httpProxy(service.endpoint, async ({ method, url }, forward) => {
      const { pathname, search } = new URL(url);
      if (search.includes("list-type")) return await reversed(await forward());
      const misses = missed.get(pathname) ?? 0;
      if (method !== "GET" || misses >= most) return await forward();
      missed.set(pathname, misses + 1);
      return miss();
    });
    const { region, accessKeyId, secretAccessKey } = service;
    const s3 = { endpoint: proxy.endpoint, region, accessKeyId, secretAccessKey };
    const config = { store: "s3://feed-sync", s3 };
    await using home = await workspace({ "feedsync.json": JSON.stringify(config) });
    const run = (...args: string[]) => feedsync(args, { cwd: home.path });
    {
      await using web1 = await connect({ ...config, server: "web-1" });
      for (let i = 1; i <= 12; i++) {
        await publish(web1, { url: `https://example.com/${i}`, content: "content" });
      }
    }
    most = 2;
    const late = await run("tail", "--once", "--json");
    assert.equal(late.code, 0, late.stderr);
    assert.equal(late.json().length, 12);
    assert.doesNotMatch(late.stderr, /are lost/);

    most = Infinity;
    const held = await run("tail", "--once", "--json");
    assert.equal(held.code, 69, held.stderr);
    assert.deepEqual(held.json(), []);
    assert.match(
      held.stderr,
      /the store lists objects but does not find them; try again later/,
    );
    assert.doesNotMatch(held.stderr, /are lost/);
  });
}
