import assert from "node:assert/strict";
import { brotliCompressSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { decodeBody, encodeBody, updateLine } from "../../../lib/log/codec.ts";
import { objectName } from "../../../lib/log/names.ts";
import { ConfigError, StoreUnavailableError } from "../../../lib/errors.ts";
import { openS3Store } from "../../../lib/stores/s3/s3_store.ts";
import { fauxqsServer } from "../../servers/fauxqs.ts";
import { httpProxy, httpServer, s3Failure } from "../../servers/http.ts";
import { bytes, keys, plain } from "../contract.ts";
import { hurried } from "../hurried.ts";

const BUCKET = {
  region: "us-east-1",
  accessKeyId: "test",
  secretAccessKey: "test",
  bucket: "feed-sync",
};

const LISTING = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

Deno.test("objects say that they are zstd, and invite nobody to unpack them", async () => {
  await using service = await fauxqsServer("feed-sync");
  await using store = await openS3Store({ ...service, bucket: "feed-sync", prefix: "prod/" });
  const body = new Uint8Array(zstdCompressSync('{"feedsync":1}\n'));
  await store.put("tail/a", body);
  const response = await fetch(`${service.endpoint}/feed-sync/prod/tail/a`);
  assert.equal(response.headers.get("content-type"), "application/zstd");
  assert.equal(response.headers.get("content-encoding"), null);
  await response.body?.cancel();
  assert.deepEqual(plain(await store.get("tail/a")), body);
});

Deno.test("objects that are something else do not claim to be compressed", async () => {
  await using service = await fauxqsServer("feed-sync");
  await using store = await openS3Store({ ...service, bucket: "feed-sync" });
  await store.put("tail/a", bytes("else"));
  const response = await fetch(`${service.endpoint}/feed-sync/tail/a`);
  assert.equal(response.headers.get("content-type"), "application/octet-stream");
  assert.equal(response.headers.get("content-encoding"), null);
  await response.body?.cancel();
});

Deno.test("objects that are encrypted say that they are JWEs", async () => {
  await using service = await fauxqsServer("feed-sync");
  await using store = await openS3Store({ ...service, bucket: "feed-sync" });
  await store.put("tail/a", bytes("eyJhbGciOiJkaXIifQ"));
  const response = await fetch(`${service.endpoint}/feed-sync/tail/a`);
  assert.equal(response.headers.get("content-type"), "application/jose");
  assert.equal(response.headers.get("content-encoding"), null);
  await response.body?.cancel();
});

Deno.test("an object is read whatever was done to its encoding on the way", async () => {
  const name = objectName({
    kind: "tail",
    stream: "web-1_abcdefgh",
    first: 1,
    last: 1,
    writer: "ijklmnop",
  });
  const body = '"content":"x","metadata":{}';
  const row = { id: crypto.randomUUID(), url: "https://example.com/", time: 0, body };
  const stored = encodeBody(name, [updateLine(row, 1)], { time: new Date(0).toISOString() });
  const unpacked = zstdDecompressSync(stored);
  const forms: [sent: Uint8Array, encoding?: string][] = [
    [stored], // As it is stored, or where Content-Encoding is dropped.
    [stored, "zstd"], // As it was stored by feedsync 0.1.
    [unpacked],
    [unpacked, "zstd"],
    [gzipSync(stored), "gzip"],
    [gzipSync(unpacked), "gzip"],
    [brotliCompressSync(unpacked), "br"],
  ];
  for (const [sent, encoding] of forms) {
    const headers: Record<string, string> = encoding ? { "content-encoding": encoding } : {};
    await using server = httpServer(() => new Response(new Uint8Array(sent), { headers }));
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    const [update] = decodeBody(name, (await store.get(name.key))!);
    assert.equal(update.content, "x");
  }
});

Deno.test("a missing bucket is an error of every operation, and made by create() and nothing else", async () => {
  await using service = await fauxqsServer();
  await using store = await openS3Store({ ...service, bucket: "feed-sync" });
  const operations = [
    () => store.put("a", bytes("x")),
    () => store.get("a"),
    () => keys(store, ""),
    async () => {
      const [{ error }] = await store.delete(["a", "b"]);
      throw error;
    },
  ];
  for (const operation of operations) {
    await assert.rejects(operation, (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, /NoSuchBucket.*make the bucket with `feedsync init`$/);
      return true;
    });
  }
  assert.equal(await store.create?.(), true);
  assert.equal(await store.create?.(), false);
  await store.put("a", bytes("x"));
  assert.deepEqual(await keys(store, ""), ["a"]);
});

Deno.test("a bucket that was there before may come back", async () => {
  await using service = httpServer(() => s3Failure(404, "NoSuchBucket"));
  await using store = await openS3Store({ ...BUCKET, endpoint: service.endpoint });
  store.expectObjects?.();
  await assert.rejects(keys(store, ""), (error) => {
    assert.ok(error instanceof StoreUnavailableError, String(error));
    assert.match(error.message, /it was there before: bring it back, or make a new one/);
    return true;
  });
});

Deno.test("an object that is missing does not show that its bucket is there", async () => {
  await using service = httpServer(({ method, url }) =>
    method === "GET" && !url.includes("list-type")
      ? s3Failure(404, "NoSuchKey")
      : s3Failure(404, "NoSuchBucket")
  );
  await using store = await openS3Store({ ...BUCKET, endpoint: service.endpoint });
  assert.equal(await store.get("a"), undefined);
  await assert.rejects(keys(store, ""), ConfigError);
});

Deno.test("it does not matter who has created the bucket in the end", async () => {
  for (const code of ["BucketAlreadyOwnedByYou", "BucketAlreadyExists", "OperationAborted"]) {
    let isCreated = false;
    await using server = httpServer(({ url }) => {
      if (isCreated) return new Response(LISTING);
      isCreated = new URL(url).pathname === "/feed-sync/" && !url.includes("list-type");
      return isCreated ? s3Failure(409, code) : s3Failure(404, "NoSuchBucket");
    });
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    assert.equal(await store.create?.(), false);
  }
});

Deno.test("several servers may create the bucket at once", async () => {
  await using service = await fauxqsServer();
  await Promise.all(Array.from({ length: 8 }, async (_, index) => {
    await using store = await openS3Store({ ...service, bucket: "feed-sync" });
    await store.create?.();
    await store.put(`a/${index}`, bytes("x"));
  }));
  await using store = await openS3Store({ ...service, bucket: "feed-sync" });
  assert.equal((await keys(store, "a/")).length, 8);
});

Deno.test("a bucket that is created is waited for until it can be seen", async () => {
  let asked = 0;
  await using server = httpServer(({ method }) => {
    if (method === "PUT") return new Response(null, { headers: { location: "/feed-sync" } });
    return asked++ < 3 ? s3Failure(404, "NoSuchBucket") : new Response(LISTING);
  });
  const options = { ...BUCKET, endpoint: server.endpoint, environment: hurried };
  await using store = await openS3Store(options);
  assert.equal(await store.create?.(), true);
  assert.equal(asked, 4);
});

Deno.test("a key that is not UTF-8 does not spoil a listing", async () => {
  await using server = httpServer(() =>
    new Response(
      "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>" +
        "<Contents><Key>a%FF</Key></Contents><Contents><Key>b+c%2Bd</Key></Contents>" +
        "</ListBucketResult>",
    )
  );
  await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
  assert.deepEqual(await keys(store, ""), ["a%FF", "b c+d"]);
});

Deno.test("encryption by the service and ACLs are asked for with each object, and only there", async () => {
  const names = ["encryption", "encryption-aws-kms-key-id"].map((name) => `server-side-${name}`);
  const sent: (string | null)[][] = [];
  await using service = await fauxqsServer();
  await using proxy = httpProxy(service.endpoint, async ({ headers }, forward) => {
    sent.push([...names, "acl"].map((name) => headers.get(`x-amz-${name}`)));
    return await forward();
  });
  const settings = [
    { serverSideEncryption: "aws:kms", kmsKeyId: "my-key", acl: "bucket-owner-full-control" },
    { serverSideEncryption: "AES256" },
    {},
  ] as const;
  for (const setting of settings) {
    await using store = await openS3Store({ ...BUCKET, ...setting, endpoint: proxy.endpoint });
    await store.create?.();
    await store.put("a", bytes("x"));
    await store.get("a");
    await keys(store, "");
  }
  const none = [null, null, null];
  const kms = ["aws:kms", "my-key", "bucket-owner-full-control"];
  assert.deepEqual(sent, [
    ...[none, none, none], // The bucket is missing at first, and created.
    ...[kms, none, none],
    ...[none, ["AES256", null, null], none, none],
    ...[none, none, none, none],
  ]);
});
