import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import assert from "node:assert/strict";
import { systemEnvironment } from "../../../lib/base/environment.ts";
import { listenToQueue } from "../../../lib/wake/receive/queue.ts";
import { workspace } from "../../cli/feedsync.ts";
import { type FauxqsServer, fauxqsServer } from "../../servers/fauxqs.ts";
import { captureLog } from "../../encryption/keys.ts";
import { httpServer, unreachableEndpoint } from "../../servers/http.ts";

const STORE = "s3://bucket/prefix";
const keyOf = (seq: number) => `tail/web-1_abcdefgh/${String(seq).padStart(16, "0")}.1.ijklmnop`;

function eventOf(seq: number): string {
  const s3 = { bucket: { name: "bucket" }, object: { key: `prefix/${keyOf(seq)}` } };
  return JSON.stringify({ Records: [{ eventName: "ObjectCreated:Put", s3 }] });
}

/** A queue, and what is heard of the commits that its messages tell of. */
class TestQueue implements AsyncDisposable {
  readonly heard: string[] = [];
  readonly #client: SQSClient;
  readonly #url: string;
  #awaited = Promise.withResolvers<void>();

  private constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  static async make({ endpoint, region, accessKeyId, secretAccessKey }: FauxqsServer) {
    const credentials = { accessKeyId, secretAccessKey };
    const client = new SQSClient({ endpoint, region, credentials });
    const { QueueUrl: url } = await client.send(new CreateQueueCommand({ QueueName: "events" }));
    return new TestQueue(client, new URL(new URL(url!).pathname, endpoint).href);
  }

  listen(s3: FauxqsServer): AsyncDisposable {
    const onCommit = ({ key }: { key: string }) => {
      this.heard.push(key);
      this.#awaited.resolve();
    };
    return listenToQueue(this.#url, { s3, store: STORE, environment: systemEnvironment, onCommit });
  }

  async send(body: string): Promise<void> {
    await this.#client.send(new SendMessageCommand({ QueueUrl: this.#url, MessageBody: body }));
  }

  /** Waits until something more is heard. */
  async hears(): Promise<void> {
    await this.#awaited.promise;
    this.#awaited = Promise.withResolvers();
  }

  /** How many messages are in it, or taken and not deleted. */
  async length(): Promise<number> {
    const AttributeNames = [
      "ApproximateNumberOfMessages",
      "ApproximateNumberOfMessagesNotVisible",
    ] as const;
    const { Attributes: counts = {} } = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: this.#url, AttributeNames: [...AttributeNames] }),
    );
    return AttributeNames.reduce((sum, name) => sum + Number(counts[name]), 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }
}

Deno.test("what a queue tells of is heard at once, and its messages are deleted, whatever they are", async () => {
  await using server = await fauxqsServer();
  await using queue = await TestQueue.make(server);
  {
    await using _listening = queue.listen(server);
    for (const text of ["no event", "{}", eventOf(1)]) await queue.send(text);
    await queue.hears();
    await queue.send(JSON.stringify({ Type: "Notification", Message: eventOf(2) }));
    await queue.hears();
  }
  assert.deepEqual(queue.heard, [keyOf(1), keyOf(2)]);
  {
    await using _again = queue.listen(server);
    await queue.send(eventOf(3));
    await queue.hears();
  }
  assert.deepEqual(queue.heard, [keyOf(1), keyOf(2), keyOf(3)], "none comes twice");
  assert.equal(await queue.length(), 0);
});

Deno.test("a queue is listened to with the credentials that the bucket is reached with", async () => {
  await using directory = await workspace({
    keys: '{ "Version": 1, "AccessKeyId": "mine", "SecretAccessKey": "secret" }',
  });
  const asked = Promise.withResolvers<string | null>();
  await using server = httpServer(async (request) => {
    await request.arrayBuffer();
    asked.resolve(request.headers.get("authorization"));
    return Response.json({});
  });
  const s3 = { credentialsFile: `${directory.path}/keys` };
  const options = { s3, store: STORE, environment: systemEnvironment, onCommit() {} };
  await using _queue = listenToQueue(`${server.endpoint}/1/events`, options);
  assert.match(await asked.promise ?? "", /Credential=mine\//);
});

Deno.test("of a queue's URL only the origin is told when it cannot be reached", async () => {
  const url = `${unreachableEndpoint()}/T0KEN/events`;
  const said = Promise.withResolvers<void>();
  const { clock, random } = systemEnvironment;
  const setTimer = (ms: number, callback: () => void) => {
    if (ms < 1000) said.resolve(); // It waits before the next attempt.
    return clock.setTimer(ms, callback);
  };
  using log = captureLog();
  await using _queue = listenToQueue(url, {
    s3: { region: "us-east-1", accessKeyId: "id", secretAccessKey: "secret" },
    store: STORE,
    environment: { random, clock: { ...clock, setTimer } },
    onCommit: () => {},
  });
  await said.promise;
  assert.match(log.lines.join("\n"), /Cannot reach the queue http:\/\/127\.0\.0\.1:\d+: /);
  assert.doesNotMatch(log.lines.join("\n"), /T0KEN/);
});
