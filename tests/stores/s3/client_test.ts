import assert from "node:assert/strict";
import { AccessDeniedError, ConfigError } from "../../../lib/errors.ts";
import { openS3Store } from "../../../lib/stores/s3/s3_store.ts";
import { RequestHandler } from "../../../lib/stores/s3/request_handler.ts";
import { createClient } from "../../../lib/stores/s3/client.ts";
import { httpServer } from "../../servers/http.ts";
import { bytes } from "../contract.ts";
import { sdkEnvironment } from "../sdk_environment.ts";

const handlers = { handler: new RequestHandler(), credentialsHandler: new RequestHandler() };

Deno.test("without a region and an endpoint there is nothing to talk to", async () => {
  using _environment = sdkEnvironment();
  await assert.rejects(openS3Store({ bucket: "feed-sync" }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /set 's3.region' or 's3.endpoint'$/);
    return true;
  });
});

Deno.test("an endpoint needs no region", async () => {
  using _environment = sdkEnvironment();
  const { client } = await createClient({ endpoint: "http://127.0.0.1:9" }, handlers);
  assert.equal(await client.config.region(), "us-east-1");
});

Deno.test("the region and the endpoint may come from where the SDK looks for them", async () => {
  const endpoint = "http://127.0.0.1:9";
  using _environment = sdkEnvironment({ AWS_REGION: "eu-west-1", AWS_ENDPOINT_URL_S3: endpoint });
  const { client, service } = await createClient({}, handlers);
  assert.equal(await client.config.region(), "eu-west-1");
  assert.equal(client.config.forcePathStyle, true);
  assert.equal(service, endpoint);
});

Deno.test("the configuration wins over the environment", async () => {
  using _environment = sdkEnvironment({
    AWS_REGION: "eu-west-1",
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    AWS_ACCESS_KEY_ID: "environment",
    AWS_SECRET_ACCESS_KEY: "environment",
  });
  const endpoint = "http://127.0.0.1:10";
  const keys = { accessKeyId: "given", secretAccessKey: "given", sessionToken: "token" };
  const { client, service } = await createClient({ ...keys, endpoint, region: "a" }, handlers);
  assert.equal(await client.config.region(), "a");
  assert.equal(service, endpoint);
  const { accessKeyId, sessionToken } = await client.config.credentials();
  assert.deepEqual([accessKeyId, sessionToken], ["given", "token"]);
});

Deno.test("a profile gives credentials and region", async () => {
  const file = await Deno.makeTempFile();
  try {
    const lines = ["region = eu-west-1", "aws_access_key_id = a", "aws_secret_access_key = b"];
    await Deno.writeTextFile(file, ["[profile p]", ...lines, ""].join("\n"));
    using _environment = sdkEnvironment({ AWS_CONFIG_FILE: file });
    const { client } = await createClient({ profile: "p" }, handlers);
    assert.equal(await client.config.region(), "eu-west-1");
    assert.equal((await client.config.credentials()).accessKeyId, "a");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("path style is the default with an endpoint only, and may be chosen", async () => {
  using _environment = sdkEnvironment();
  const endpoint = "http://127.0.0.1:9";
  const chosen = async (config: Parameters<typeof createClient>[0]) =>
    (await createClient(config, handlers)).client.config.forcePathStyle;
  assert.equal(await chosen({ endpoint }), true);
  assert.equal(await chosen({ endpoint, forcePathStyle: false }), false);
  assert.equal(await chosen({ region: "eu-west-1" }), false);
  assert.equal(await chosen({ region: "eu-west-1", forcePathStyle: true }), true);
});

Deno.test("without credentials access is denied, and the message says what to set", async () => {
  using _environment = sdkEnvironment();
  await using server = httpServer(() => new Response());
  await using store = await openS3Store({ bucket: "feed-sync", endpoint: server.endpoint });
  await assert.rejects(store.put("a", bytes("x")), (error) => {
    assert.ok(error instanceof AccessDeniedError);
    assert.match(error.message, /set 's3.accessKeyId' and 's3.secretAccessKey', 's3.profile', or/);
    return true;
  });
  assert.equal(store.requests.put, 0);
});
