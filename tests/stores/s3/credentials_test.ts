import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { S3Config } from "../../../lib/config/s3.ts";
import { AccessDeniedError, StoreUnavailableError } from "../../../lib/errors.ts";
import { openS3Store } from "../../../lib/stores/s3/s3_store.ts";
import { workspace } from "../../cli/feedsync.ts";
import { httpServer, s3Failure, unreachableEndpoint } from "../../servers/http.ts";
import { bytes } from "../contract.ts";
import { keysFor, type SignedBucket, signedBucket, tokenService } from "../credential_services.ts";
import { sdkEnvironment } from "../sdk_environment.ts";

const ROLE = "arn:aws:iam::123456789012:role/feedsync";

function open({ endpoint }: { endpoint: string }, config: S3Config = {}) {
  return openS3Store({ region: "us-east-1", ...config, endpoint, bucket: "feed-sync" });
}

/** Who a request comes from with this configuration; it must be the only request that is counted. */
async function sender(bucket: SignedBucket, config?: S3Config): Promise<string> {
  await using store = await open(bucket, config);
  await store.put("tail/a", bytes("x"));
  assert.deepEqual(store.requests, { put: 1, get: 0, list: 0, delete: 0 });
  return bucket.seen.at(-1)!;
}

Deno.test("a container gives credentials", async () => {
  await using bucket = signedBucket();
  await using container = httpServer(({ headers, url }) => {
    const isAllowed = headers.get("authorization") === "let me in";
    return isAllowed ? Response.json(keysFor(new URL(url).pathname.slice(1))) : s3Failure(401, "");
  });
  using _environment = sdkEnvironment({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.endpoint}/task`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: "let me in",
  });
  assert.equal(await sender(bucket), "task token-of-task");
});

Deno.test("an instance gives credentials", async () => {
  await using bucket = signedBucket();
  const path = "/latest/meta-data/iam/security-credentials/";
  await using metadata = httpServer(({ method, url, headers }) => {
    const { pathname } = new URL(url);
    if (method === "PUT" && pathname === "/latest/api/token") return new Response("session");
    if (headers.get("x-aws-ec2-metadata-token") !== "session") return s3Failure(401, "");
    return pathname === path ? new Response("machine") : Response.json(keysFor("machine"));
  });
  using _environment = sdkEnvironment({
    AWS_EC2_METADATA_DISABLED: "false",
    AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.endpoint,
  });
  assert.equal(await sender(bucket), "machine token-of-machine");
});

Deno.test("a web identity is exchanged for credentials", async () => {
  await using bucket = signedBucket();
  await using service = tokenService();
  await using directory = await workspace({ token: "who I am" });
  using _environment = sdkEnvironment({
    AWS_WEB_IDENTITY_TOKEN_FILE: join(directory.path, "token"),
    AWS_ROLE_ARN: ROLE,
    AWS_ENDPOINT_URL_STS: service.endpoint,
  });
  assert.equal(await sender(bucket), "role-1 token-of-role-1");
  assert.equal(service.asked[0].get("WebIdentityToken"), "who I am");
});

Deno.test("a profile may name a process that prints credentials", async () => {
  await using bucket = signedBucket();
  const { Token: SessionToken, ...keys } = keysFor("process");
  await using directory = await workspace({
    "keys.json": JSON.stringify({ Version: 1, ...keys, SessionToken }),
  });
  const process = `cat ${join(directory.path, "keys.json")}`;
  const config = join(directory.path, "config");
  await Deno.writeTextFile(config, `[profile p]\ncredential_process = ${process}\n`);
  using _environment = sdkEnvironment({ AWS_CONFIG_FILE: config });
  assert.equal(await sender(bucket, { profile: "p" }), "process token-of-process");
});

Deno.test("of a process that fails neither the command nor what it printed is told", async () => {
  await using bucket = signedBucket();
  const process = `/bin/sh -c "echo very-secret >&2; exit 3" --password very-secret`;
  await using directory = await workspace({
    config: `[profile p]\ncredential_process = ${process}\n` +
      `[profile role]\nrole_arn = ${ROLE}\nsource_profile = p\n`,
  });
  const file = join(directory.path, "config");
  using _environment = sdkEnvironment({ AWS_CONFIG_FILE: file });
  for (const profile of ["p", "role"]) {
    for (const credentialsFile of [undefined, file]) {
      await using store = await open(bucket, { profile, credentialsFile });
      await assert.rejects(store.put("tail/a", bytes("x")), (error) => {
        assert.doesNotMatch(Deno.inspect(error), /very-secret/);
        assert.ok(error instanceof AccessDeniedError, String(error));
        if (credentialsFile) assert.match(error.message, /the command of its 'credential_process'/);
        return true;
      });
    }
  }
});

Deno.test("a profile may sign on with SSO", async () => {
  await using bucket = signedBucket();
  await using service = httpServer(({ headers }) => {
    assert.equal(headers.get("x-amz-sso_bearer_token"), "signed on");
    const expiration = Date.now() + 3_600_000;
    const roleCredentials = { accessKeyId: "sso", secretAccessKey: "secret", expiration };
    return Response.json({ roleCredentials: { ...roleCredentials, sessionToken: "token" } });
  });
  await using home = await workspace({
    config: "[profile p]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n" +
      "[sso-session s]\nsso_start_url = https://example.com/start\nsso_region = us-east-1\n",
  });
  const cache = join(home.path, ".aws", "sso", "cache");
  await Deno.mkdir(cache, { recursive: true });
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  await Deno.writeTextFile(
    join(cache, `${createHash("sha1").update("s").digest("hex")}.json`),
    JSON.stringify({ accessToken: "signed on", expiresAt }),
  );
  using _environment = sdkEnvironment({
    HOME: home.path,
    AWS_CONFIG_FILE: join(home.path, "config"),
    AWS_ENDPOINT_URL_SSO: service.endpoint,
  });
  assert.equal(await sender(bucket, { profile: "p" }), "sso token");
});

Deno.test("a role is assumed with the credentials that are found", async () => {
  await using bucket = signedBucket();
  await using service = tokenService();
  using _environment = sdkEnvironment({
    AWS_ACCESS_KEY_ID: "me",
    AWS_SECRET_ACCESS_KEY: "secret",
  });
  const assumeRole = {
    roleArn: ROLE,
    externalId: "partner",
    sessionName: "feedsync-web-1",
    duration: "15m",
    endpoint: service.endpoint,
  };
  assert.equal(await sender(bucket, { assumeRole }), "role-1 token-of-role-1");
  const { RoleArn, ExternalId, RoleSessionName, DurationSeconds } = Object.fromEntries(
    service.asked[0],
  );
  assert.deepEqual(
    [RoleArn, ExternalId, RoleSessionName, DurationSeconds],
    [ROLE, "partner", "feedsync-web-1", "900"],
  );
});

Deno.test("a token service that is out of reach is said to be, and is no refusal", async () => {
  await using bucket = signedBucket();
  const keys = { accessKeyId: "me", secretAccessKey: "secret" };
  const assumeRole = { roleArn: ROLE, endpoint: unreachableEndpoint() };
  await using store = await open(bucket, { ...keys, assumeRole });
  await assert.rejects(store.put("tail/a", bytes("x")), (error) => {
    assert.ok(error instanceof StoreUnavailableError);
    assert.match(error.message, /while writing tail\/a, assuming the role arn.*feedsync: tcp conn/);
    return true;
  });
});

Deno.test("a token service that knows no such role is not taken for a missing object", async () => {
  await using bucket = signedBucket();
  await using service = httpServer(() => s3Failure(404, "NotFound"));
  const keys = { accessKeyId: "me", secretAccessKey: "secret" };
  const assumeRole = { roleArn: ROLE, endpoint: service.endpoint };
  await using store = await open(bucket, { ...keys, assumeRole });
  await assert.rejects(store.get("tail/a"), (error) => {
    assert.ok(error instanceof AccessDeniedError);
    assert.match(error.message, /assuming the role .*check the role/);
    return true;
  });
});

Deno.test("credentials that have expired are fetched anew, and the request sent again", async () => {
  await using bucket = signedBucket();
  await using directory = await workspace();
  const file = join(directory.path, "credentials");
  const write = (key: string) =>
    Deno.writeTextFile(file, `[default]\naws_access_key_id=${key}\naws_secret_access_key=secret\n`);
  await write("first");
  using _environment = sdkEnvironment({ AWS_SHARED_CREDENTIALS_FILE: file });
  await using store = await open(bucket);
  await store.put("tail/a", bytes("x"));
  bucket.expired.add("first");
  await write("second");
  await store.put("tail/b", bytes("x"));
  await store.put("tail/c", bytes("x"));
  assert.deepEqual(bucket.seen, ["first", "first", "second", "second"]);
});

Deno.test("a role is assumed anew when its credentials have expired", async () => {
  await using bucket = signedBucket();
  await using service = tokenService();
  const keys = { accessKeyId: "me", secretAccessKey: "secret" };
  const assumeRole = { roleArn: ROLE, endpoint: service.endpoint };
  await using store = await open(bucket, { ...keys, assumeRole });
  bucket.expired.add("role-1");
  await store.put("tail/a", bytes("x"));
  await store.put("tail/b", bytes("x"));
  assert.deepEqual(
    bucket.seen,
    ["role-1 token-of-role-1", "role-2 token-of-role-2", "role-2 token-of-role-2"],
  );
});

Deno.test("keys of the configuration that have expired are not tried again", async () => {
  await using bucket = signedBucket();
  bucket.expired.add("me");
  await using store = await open(bucket, { accessKeyId: "me", secretAccessKey: "secret" });
  await assert.rejects(store.put("tail/a", bytes("x")), /ExpiredToken.*; renew the credentials$/);
  assert.equal(bucket.seen.length, 1);
});
