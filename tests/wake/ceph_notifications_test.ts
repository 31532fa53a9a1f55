import { PutBucketNotificationConfigurationCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import assert from "node:assert/strict";
import { connect, publish, watch } from "../../mod.ts";
import { type CephServer, cephServer } from "../servers/ceph.ts";
import { makeBucket } from "../servers/made_bucket.ts";
import { freeAddress } from "../servers/ports.ts";

const TOKEN = crypto.randomUUID();

const ceph = await cephServer();
Deno.test.afterAll(async () => await ceph?.[Symbol.asyncDispose]());

/** Has Ceph POST to `url` what is written to the bucket. */
async function notify(
  { endpoint, region, accessKeyId, secretAccessKey }: CephServer,
  bucket: string,
  url: string,
): Promise<void> {
  const service = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  const sns = new SNSClient(service), s3 = new S3Client({ ...service, forcePathStyle: true });
  const { TopicArn } = await sns.send(
    new CreateTopicCommand({ Name: bucket, Attributes: { "push-endpoint": url } }),
  );
  const topic = { Id: "feedsync", TopicArn, Events: ["s3:ObjectCreated:*" as const] };
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: { TopicConfigurations: [topic] },
    }),
  );
  sns.destroy();
  s3.destroy();
}

Deno.test({
  name: "Ceph: an update is applied when its notification comes, with one GET and no LIST",
  ignore: ceph === undefined,
  async fn() {
    const bucket = `feedsync-${crypto.randomUUID()}`, address = freeAddress();
    const { endpoint, region, accessKeyId, secretAccessKey } = ceph!;
    const service = {
      store: `s3://${bucket}/prefix`,
      s3: { endpoint, region, accessKeyId, secretAccessKey },
    };
    await makeBucket(service);
    await using web1 = await connect({ ...service, server: "web-1" });
    await using web2 = await connect({
      presence: false, // Only requests for updates are counted.
      ...service,
      server: "web-2",
      wake: { listen: address, token: TOKEN },
      poll: "1h",
    });
    await publish(web1, { url: "https://example.com/", content: "first" });
    await notify(ceph!, bucket, `http://${address}/wake?token=${TOKEN}`);
    let applied = Promise.withResolvers<unknown>();
    await using watcher = watch(web2, ({ content }) => applied.resolve(content));
    assert.equal(await applied.promise, "first");
    await watcher.poll();
    for (const content of ["second", "third"]) {
      const { get, list } = web2.requests;
      applied = Promise.withResolvers();
      await publish(web1, { url: "https://example.com/", content });
      assert.equal(await applied.promise, content);
      assert.deepEqual([web2.requests.get, web2.requests.list], [get + 1, list]);
    }
  },
});
