/** What a store, or something in its place, may say while a server starts. */
import assert from "node:assert/strict";
import { feedsync, workspace } from "../cli/feedsync.ts";
import { Running } from "../cli/running.ts";
import { httpServer, s3Failure } from "../servers/http.ts";

const LISTING = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
const LOGIN = "<html><body>Please log in</body></html>";
const HTML = { "content-type": "text/html" };

function variables(endpoint: string): Record<string, string> {
  return {
    FEEDSYNC_STORE: "s3://feed-sync",
    FEEDSYNC_S3_ENDPOINT: endpoint,
    FEEDSYNC_S3_ACCESS_KEY_ID: "id",
    FEEDSYNC_S3_SECRET_ACCESS_KEY: "secret",
    FEEDSYNC_POLL: "1s",
  };
}

Deno.test("watch outlives what a network says while it comes up", async () => {
  const answers = [
    () => new Response(null, { status: 307, headers: { location: "https://login.example/" } }),
    () => new Response(LOGIN, { status: 302, headers: { location: "/login", ...HTML } }),
    () => new Response(LOGIN, { status: 403, headers: HTML }),
    () => new Response(LOGIN, { status: 511, headers: HTML }),
    () => s3Failure(503, "ServiceUnavailable"),
    () => s3Failure(307, "TemporaryRedirect"),
    () => new Response(LOGIN, { headers: HTML }),
    () => new Response(LOGIN),
    () => s3Failure(403, "AccessDenied", "Transaction cap exceeded"),
  ];
  let tried = 0;
  await using server = httpServer(() => {
    const answer = answers[tried++];
    return answer ? answer() : new Response(LISTING);
  });
  await using directory = await workspace();
  const env = variables(server.endpoint);
  await using watching = new Running(["watch"], { cwd: directory.path, env });
  await watching.says(/The store can be reached again/);
  watching.kill("SIGTERM");
  const { code, stderr } = await watching.end();
  assert.equal(code, 0, stderr);
});

Deno.test("watch --once and publish look again at a refusal that passes", async () => {
  const commands = [["watch", "--once"], ["publish", "https://example.com/", "-"]];
  await Promise.all(commands.map(async (args) => {
    let tried = 0;
    await using server = httpServer(({ method }) => {
      if (tried++ === 0) return s3Failure(403, "AccessDenied");
      return method === "PUT"
        ? new Response(null, { headers: { etag: '"1"' } })
        : new Response(LISTING);
    });
    await using directory = await workspace();
    const env = variables(server.endpoint);
    const { code, stderr } = await feedsync(args, { cwd: directory.path, env, stdin: "x" });
    assert.equal(code, 0, stderr);
  }));
});

Deno.test("watch ends when its credentials are refused, at a second look", async () => {
  const refusals: [answer: () => Response, code: number][] = [
    [() => s3Failure(403, "InvalidAccessKeyId"), 77],
    [() => s3Failure(400, "InvalidRegionName"), 78],
  ];
  await Promise.all(refusals.map(async ([answer, expected]) => {
    await using server = httpServer(answer);
    await using directory = await workspace();
    const env = variables(server.endpoint);
    const { code, stderr } = await feedsync(["watch"], { cwd: directory.path, env });
    assert.equal(code, expected, stderr);
    assert.match(stderr, /trying again in 3 s/);
  }));
});
