import assert from "node:assert/strict";
import { join } from "node:path";
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import {
  AccessDeniedError,
  type Config,
  connect,
  publish,
  type PublishedReceipt,
  watch,
} from "../../mod.ts";
import { openStore } from "../../lib/stores/open.ts";
import { workspace } from "../cli/feedsync.ts";
import { cephServer } from "../servers/ceph.ts";
import { createRole, createUser } from "../servers/ceph_users.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { httpProxy, s3Failure } from "../servers/http.ts";

const URL = "https://example.com/feed.xml";

const ceph = await cephServer();
Deno.test.afterAll(async () => await ceph?.[Symbol.asyncDispose]());

/** A credentials file as a program writes it that does not tell when they expire. */
function writeCredentials(file: string, keys: Record<string, unknown>): Promise<void> {
  return Deno.writeTextFile(file, JSON.stringify({ Version: 1, ...keys }));
}

/** What a new server reads. */
async function contents(config: Config): Promise<unknown[]> {
  const read: unknown[] = [];
  await using reader = await connect({ ...config, server: "reader" });
  await using watcher = watch(reader, ({ content }) => void read.push(content), { manual: true });
  await watcher.poll();
  return read;
}

Deno.test("updates wait while credentials are expired, and are uploaded with the next ones", async () => {
  await using service = await fauxqsServer("feed-sync");
  const expired = new Set<string>();
  await using proxy = httpProxy(service.endpoint, async ({ headers }, forward) => {
    const [, key] = /Credential=([^/]+)/.exec(headers.get("authorization") ?? "") ?? [];
    return expired.has(key) ? s3Failure(400, "ExpiredToken") : await forward();
  });
  await using directory = await workspace();
  const file = join(directory.path, "credentials.json");
  const give = (AccessKeyId: string) =>
    writeCredentials(file, { AccessKeyId, SecretAccessKey: "secret", SessionToken: "token" });
  await give("first");
  const s3 = { endpoint: proxy.endpoint, region: "us-east-1", credentialsFile: file };
  const config = { store: "s3://feed-sync/prod", s3 };
  await using web1 = await connect({ ...config, server: "web-1" });
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
  assert.deepEqual(await contents(config), ["before", "meanwhile", "after"]);
});

Deno.test({
  name: "Ceph: updates wait while a token of its own is expired, and are uploaded with the next",
  ignore: ceph === undefined,
  async fn() {
    const s3 = { endpoint: await ceph!.startTokenService(), region: ceph!.region };
    const bucket = `feedsync-${crypto.randomUUID()}`;
    await using owner = await openStore(`s3://${bucket}`, { ...ceph!, ...s3 });
    await owner.create?.();
    await using directory = await workspace();
    const credentialsFile = join(directory.path, "credentials.json");
    const giveToken = await tokens(credentialsFile, s3);

    await giveToken(2);
    const config = { store: `s3://${bucket}/prod`, s3: { ...s3, credentialsFile } };
    await using web1 = await connect({ ...config, server: "web-1" });
    const published: string[] = [];
    const publishNext = () => {
      published.push(String(published.length));
      return publish(web1, { url: URL, content: published.at(-1)! });
    };
    await publishNext();
    const publishOn = async () => {
      for (;;) await publishNext();
    };
    await assert.rejects(publishOn(), (error) => {
      assert.ok(error instanceof AccessDeniedError);
      assert.match(error.message, /whether they have expired \(1 update is queued/);
      return true;
    });
    await giveToken(900);
    await publishNext();
    assert.deepEqual(await contents(config), published);
  },
});

/** Writes tokens, for a role that may do everything, which hold for so many seconds. */
async function tokens(
  file: string,
  service: { endpoint: string; region: string },
): Promise<(seconds: number) => Promise<void>> {
  const user = await createUser(ceph!);
  const RoleArn = await createRole(ceph!, user, [{ Action: "s3:*", Resource: "*" }]);
  return async (seconds) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await fromTemporaryCredentials({
      masterCredentials: user.s3,
      clientConfig: service,
      params: { RoleArn, RoleSessionName: "feedsync", DurationSeconds: seconds },
    })();
    await writeCredentials(file, {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
    });
  };
}
