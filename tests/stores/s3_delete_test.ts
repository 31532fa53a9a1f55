import assert from "node:assert/strict";
import { AccessDeniedError, StoreUnavailableError } from "../../lib/errors.ts";
import { openS3Store } from "../../lib/stores/s3.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { httpProxy, httpServer, s3Failure } from "../servers/http.ts";
import { bytes, keys } from "./contract.ts";

const BUCKET = {
  region: "us-east-1",
  accessKeyId: "test",
  secretAccessKey: "test",
  bucket: "feed-sync",
};

Deno.test("delete() does it one by one where there is no DeleteObjects", async () => {
  const refusals = [
    () => s3Failure(501, "NotImplemented"),
    () => s3Failure(400, "MalformedXML"),
    () => s3Failure(400, "MissingContentMD5"),
    () => s3Failure(400, "InvalidRequest"),
    () => new Response("Method Not Allowed", { status: 405 }),
  ];
  for (const refuse of refusals) {
    await using service = await fauxqsServer();
    await using proxy = httpProxy(
      service.endpoint,
      async ({ method }, forward) => method === "POST" ? refuse() : await forward(),
    );
    await using store = await openS3Store({ ...BUCKET, endpoint: proxy.endpoint });
    const all = Array.from({ length: 20 }, (_, index) => `a/${index}`);
    for (const key of [...all, "b"]) await store.put(key, bytes("x"));
    assert.deepEqual(await store.delete(all), []);
    assert.deepEqual(await keys(store, ""), ["b"]);
    assert.equal(store.requests.delete, 21);
    assert.deepEqual(await store.delete(["b"]), []);
    assert.equal(store.requests.delete, 22, "the refusal is remembered");
  }
});

Deno.test("delete() tells which objects of a batch are left, and tries no further batch", async () => {
  const all = Array.from({ length: 2_500 }, (_, index) => `a/${index}`);
  await using server = httpServer(() =>
    new Response(
      "<DeleteResult>" +
        "<Error><Key>p/a/7</Key><Code>AccessDenied</Code><Message>no</Message></Error>" +
        "<Error><Key>p/a/8</Key><Code>InternalError</Code><Message>no</Message></Error>" +
        "<Error><Key>p/a/9</Key><Code>NoSuchKey</Code><Message>no</Message></Error>" +
        "</DeleteResult>",
    )
  );
  await using store = await openS3Store({ ...BUCKET, prefix: "p/", endpoint: server.endpoint });
  const failed = await store.delete(all);
  assert.deepEqual(failed.map(({ key }) => key), ["a/7", "a/8", ...all.slice(1_000)]);
  assert.ok(failed[0].error instanceof AccessDeniedError);
  assert.match(failed[0].error.message, /while deleting a\/7: AccessDenied: no/);
  assert.ok(failed[1].error instanceof StoreUnavailableError);
  assert.equal(store.requests.delete, 1);
});

Deno.test("delete() stops after a batch that failed as a whole", async () => {
  const all = Array.from({ length: 1_500 }, (_, index) => `a/${index}`);
  await using server = httpServer(() => s3Failure(403, "AccessDenied"));
  await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
  const failed = await store.delete(all);
  assert.deepEqual(failed.map(({ key }) => key), all);
  for (const { error } of failed) assert.ok(error instanceof AccessDeniedError);
  // One batch, and one object, which may be allowed where batches are not.
  assert.equal(store.requests.delete, 2);
});

Deno.test("delete() one by one stops soon after the first failure", async () => {
  await using service = await fauxqsServer();
  await using proxy = httpProxy(service.endpoint, async ({ method, url }, forward) => {
    if (method === "POST") return s3Failure(501, "NotImplemented");
    if (method === "DELETE" && new URL(url).pathname.endsWith("/a/03")) {
      return s3Failure(403, "AccessDenied");
    }
    return await forward();
  });
  await using store = await openS3Store({ ...BUCKET, endpoint: proxy.endpoint });
  const all = Array.from({ length: 40 }, (_, index) => `a/${String(index).padStart(2, "0")}`);
  for (const key of all) await store.put(key, bytes("x"));
  const failed = (await store.delete(all)).map(({ key }) => key);
  assert.deepEqual(await keys(store, ""), failed);
  assert.deepEqual(failed.slice(0, 1), ["a/03"]);
  assert.deepEqual(failed.slice(-20), all.slice(-20));
});
