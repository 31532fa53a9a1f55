/** Networks with authorities and proxies of their own, as Deno is told of them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { feedsync, workspace } from "../cli/feedsync.ts";
import { httpServer } from "../servers/http.ts";
import { makeCertificates } from "../stores/certificates.ts";

const PUBLISH = ["publish", "https://example.com/feed.xml", "-"];
const LISTING = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

/** Answers as a bucket without objects does that takes everything. */
async function bucket(request: Request): Promise<Response> {
  await request.arrayBuffer();
  return request.method === "GET"
    ? new Response(LISTING)
    : new Response(null, { headers: { etag: '"1"' } });
}

function variables(endpoint: string): Record<string, string> {
  return {
    FEEDSYNC_STORE: "s3://feed-sync",
    FEEDSYNC_S3_ENDPOINT: endpoint,
    FEEDSYNC_S3_ACCESS_KEY_ID: "id",
    FEEDSYNC_S3_SECRET_ACCESS_KEY: "secret",
    FEEDSYNC_PUBLISH_TIMEOUT: "2s",
    FEEDSYNC_STOP_TIMEOUT: "0s",
  };
}

Deno.test("a service whose authority only DENO_CERT names is reached, and no other way", async () => {
  await using directory = await workspace();
  const { authority, certificate, key } = await makeCertificates(directory.path);
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(certificate),
    key: await Deno.readTextFile(key),
    onListen() {},
  }, bucket);
  const env = variables(`https://localhost:${server.addr.port}`);
  const run = (more: Record<string, string>) =>
    feedsync(PUBLISH, { cwd: directory.path, env: { ...env, ...more }, stdin: "content" });
  const unknown = await run({});
  assert.equal(unknown.code, 75, unknown.stderr);
  assert.match(unknown.stderr, /Cannot reach the store .*UnknownIssuer/);
  const known = await run({ DENO_CERT: authority });
  assert.equal(known.code, 0, known.stderr);
});

Deno.test("a proxy is used where HTTP_PROXY names it, unless NO_PROXY excludes the service", async () => {
  await using directory = await workspace();
  const asked: string[] = [];
  await using service = httpServer(bucket);
  await using proxy = httpServer((request) => {
    asked.push(new URL(request.url).host);
    return bucket(request);
  });
  const run = (endpoint: string, noProxy = "") =>
    feedsync([...PUBLISH, "--state", join(directory.path, `${crypto.randomUUID()}.db`)], {
      cwd: directory.path,
      env: { ...variables(endpoint), HTTP_PROXY: proxy.endpoint, NO_PROXY: noProxy },
      stdin: "content",
    });
  const proxied = await run("http://nowhere.invalid");
  assert.equal(proxied.code, 0, proxied.stderr);
  assert.deepEqual(new Set(asked), new Set(["nowhere.invalid"]));
  const direct = await run(service.endpoint, "127.0.0.1");
  assert.equal(direct.code, 0, direct.stderr);
  assert.deepEqual(new Set(asked), new Set(["nowhere.invalid"]));
});

Deno.test("what is encrypted passes through the proxy that HTTPS_PROXY names", async () => {
  await using directory = await workspace();
  const asked = Promise.withResolvers<string>();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const refusing = (async () => {
    for await (const connection of listener) {
      const buffer = new Uint8Array(4096);
      const length = await connection.read(buffer);
      asked.resolve(new TextDecoder().decode(buffer.subarray(0, length ?? 0)));
      await connection.write(new TextEncoder().encode("HTTP/1.1 403 Forbidden\r\n\r\n"));
      connection.close();
    }
  })();
  const proxy = `http://somebody:proxy-password@127.0.0.1:${listener.addr.port}`;
  const { code, stdout, stderr } = await feedsync([...PUBLISH, "-v"], {
    cwd: directory.path,
    env: { ...variables("https://nowhere.invalid"), HTTPS_PROXY: proxy },
    stdin: "content",
  });
  assert.equal(code, 75, stderr);
  assert.match(await asked.promise, /^CONNECT nowhere\.invalid:443 HTTP\/1\.1/);
  assert.doesNotMatch(stdout + stderr, /proxy-password/);
  listener.close();
  await refusing;
});
