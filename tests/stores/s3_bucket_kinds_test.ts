/** Buckets that lock objects, or keep versions of them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { encodeBody, updateLine } from "../../lib/log/codec.ts";
import { parseKey } from "../../lib/log/names.ts";
import { cleanUp, problemsOf } from "../../lib/retention/clean_up.ts";
import { ConfigError } from "../../lib/errors.ts";
import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { httpProxy, httpServer, s3Failure } from "../servers/http.ts";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { bytes, keys } from "./contract.ts";
import { warnings } from "./warnings.ts";

const BUCKET = {
  region: "us-east-1",
  accessKeyId: "test",
  secretAccessKey: "test",
  bucket: "feed-sync",
};
const LOCKED =
  "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with " +
  "Object Lock parameters";

Deno.test("writes carry a checksum where the bucket wants one, tried once without", async () => {
  const refusals: [number, string, string][] = [
    [400, "InvalidRequest", LOCKED],
    [400, "MissingContentMD5", "Missing required header for this request"],
    [400, "InvalidArgument", "content-md5 is required"],
  ];
  for (const refusal of refusals) {
    const sent: (string | null)[] = [];
    await using service = await fauxqsServer("feed-sync");
    await using proxy = httpProxy(service.endpoint, async (request, forward) => {
      if (request.method !== "PUT") return await forward();
      const md5 = request.headers.get("content-md5");
      const body = new Uint8Array(await request.clone().arrayBuffer());
      if (md5) assert.equal(md5, createHash("md5").update(body).digest("base64"));
      sent.push(md5);
      return md5 ? await forward() : s3Failure(...refusal);
    });
    await using store = await openS3Store({ ...BUCKET, endpoint: proxy.endpoint });
    await store.put("a", bytes("first"));
    await store.put("b", bytes("second"));
    assert.deepEqual(await keys(store, ""), ["a", "b"]);
    assert.equal(sent[0], null);
    assert.equal(sent.filter((md5) => md5 === null).length, 1, "remembered");
  }
});

Deno.test("writes carry the checksum that is asked for, also of two at once that are refused", async () => {
  const headers: [asked: string, sent: string, value?: string][] = [
    ["Content-MD5 is required", "content-md5", "ndTkYSaMgDT1yFZOFVxnpg=="],
    ["x-amz-checksum header required", "x-amz-checksum-sha256"],
    ["x-amz-checksum-crc32 is required", "x-amz-checksum-crc32", "jNwWgw=="],
    ["x-amz-checksum-sha1 is required", "x-amz-checksum-sha1"],
  ];
  for (const [message, header, value] of headers) {
    await using server = httpServer(async (request) => {
      const isLate = new URL(request.url).pathname.endsWith("/b");
      await new Promise((resolve) => setTimeout(resolve, isLate ? 50 : 5));
      const checksum = request.headers.get(header);
      if (checksum === null) return s3Failure(400, "InvalidRequest", message);
      if (checksum !== (value ?? checksum)) return s3Failure(400, "BadDigest");
      return new Response(null, { headers: { etag: '"1"' } });
    });
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    await Promise.all([store.put("a", bytes("x")), store.put("b", bytes("x"))]);
  }
});

Deno.test("no checksum is sent where none is asked for, and a second refusal is told", async () => {
  const sent: (string | null)[] = [];
  let isLocked = false;
  await using server = httpServer(({ headers }) => {
    sent.push(headers.get("content-md5"));
    return isLocked
      ? s3Failure(400, "InvalidRequest", LOCKED)
      : new Response(null, { headers: { etag: '"1"' } });
  });
  await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
  await store.put("a", bytes("x"));
  assert.deepEqual(sent, [null]);
  isLocked = true;
  await assert.rejects(store.put("a", bytes("x")), (error: Error) => {
    assert.ok(!(error instanceof ConfigError));
    assert.match(error.message, /Content-MD5 OR/);
    return true;
  });
  assert.equal(sent.length, 3);
});

/** An object that expires without a trace: its time is one that nobody can have meant. */
function bodyOf(key: string): BodyInit {
  const time = "2100-01-01T00:00:00.000Z";
  const row = { id: crypto.randomUUID(), url: "https://example.com/", time: Date.parse(time) };
  const line = updateLine({ ...row, body: '"content":"a","metadata":{}' }, 1);
  return encodeBody(parseKey(key)!, [line], { time }) as BodyInit;
}

for (const hasBatches of [true, false]) {
  const way = hasBatches ? "batch" : "single delete";
  Deno.test(`cleanup says once when a ${way} leaves old versions`, async () => {
    using log = warnings();
    const key = "tail/web-1_abcdefgh/0000000000000001.1.ijklmnop";
    const old = new Date(Date.now() - 90 * 60_000).toISOString();
    let isVersioned = false;
    await using server = httpServer(({ method, url }) => {
      if (method === "GET" && new URL(url).pathname.endsWith(key)) return new Response(bodyOf(key));
      if (method === "GET") {
        return new Response(
          "<ListBucketResult><IsTruncated>false</IsTruncated><Contents>" +
            `<Key>${key}</Key><LastModified>${old}</LastModified></Contents></ListBucketResult>`,
        );
      }
      if (method === "DELETE") {
        const marker = { "x-amz-delete-marker": "true", "x-amz-version-id": "v2" };
        return new Response(null, { status: 204, headers: isVersioned ? marker : {} });
      }
      if (!hasBatches) return s3Failure(501, "NotImplemented");
      const marker = isVersioned ? "<DeleteMarker>true</DeleteMarker>" : "";
      return new Response(
        `<DeleteResult><Deleted><Key>${key}</Key>${marker}</Deleted></DeleteResult>`,
      );
    });
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    const bucket = new BucketLog(store, { environment: systemEnvironment });
    const problems = problemsOf(systemEnvironment);
    const clean = async () => {
      assert.equal((await cleanUp(bucket, { maxAge: 20 * 60_000, problems })).deleted, 1);
    };
    await clean();
    assert.deepEqual(log.lines, []);
    isVersioned = true;
    for (let round = 0; round < 2; round++) await clean();
    assert.equal(log.lines.length, 1);
    assert.match(
      log.lines[0],
      /^s3:\/\/feed-sync keeps deleted objects as old versions.*lifecycle/,
    );
  });
}
