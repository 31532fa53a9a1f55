import assert from "node:assert/strict";
import { join } from "node:path";
import {
  AccessDeniedError,
  connect,
  publish,
  type PublishedReceipt,
  type Update,
  watch,
} from "../../mod.ts";
import { workspace } from "../cli/feedsync.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { httpProxy, s3Failure } from "../servers/http.ts";

const URL = "https://example.com/feed.xml";

Deno.test("updates wait while credentials are expired, and are uploaded with the next ones", async () => {
  await using service = await fauxqsServer();
  const expired = new Set<string>();
  await using proxy = httpProxy(service.endpoint, async ({ headers }, forward) => {
    const [, key] = /Credential=([^/]+)/.exec(headers.get("authorization") ?? "") ?? [];
    return expired.has(key) ? s3Failure(400, "ExpiredToken") : await forward();
  });
  await using directory = await workspace();
  const credentialsFile = join(directory.path, "credentials.json");
  const give = (AccessKeyId: string) =>
    Deno.writeTextFile(
      credentialsFile,
      JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey: "secret", SessionToken: "token" }),
    );
  await give("first");
  const s3 = { endpoint: proxy.endpoint, region: "us-east-1", credentialsFile };
  await using web1 = await connect({ store: "s3://feed-sync/prod", s3, server: "web-1" });
  await publish(web1, { url: URL, content: "before" });

  expired.add("first");
  await assert.rejects(publish(web1, { url: URL, content: "meanwhile" }), (error) => {
    assert.ok(error instanceof AccessDeniedError);
    assert.match(error.message, /ExpiredToken.*renew the credentials \(1 update is queued/);
    return true;
  });
  await give("second");
  const { seq } = await publish(web1, { url: URL, content: "after" }) as PublishedReceipt;
  assert.equal(seq, 3);

  await using web2 = await connect({ store: "s3://feed-sync/prod", s3, server: "web-2" });
  const received: Update[] = [];
  await using watcher = watch(web2, (update) => void received.push(update), { manual: true });
  await watcher.poll();
  assert.deepEqual(received.map(({ content }) => content), ["before", "meanwhile", "after"]);
});
