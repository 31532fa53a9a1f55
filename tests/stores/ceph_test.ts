import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { AccessDeniedError, ConfigError } from "../../lib/errors.ts";
import type { BucketOptions } from "../../lib/stores/s3/bucket.ts";
import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import type { ObjectStore } from "../../lib/stores/store.ts";
import { type CephServer, cephServer } from "../servers/ceph.ts";
import { allow, createRole, createUser } from "../servers/ceph_users.ts";
import { bytes, keys, list, plain } from "./contract.ts";

const ceph = await cephServer();
Deno.test.afterAll(async () => await ceph?.[Symbol.asyncDispose]());

function test(name: string, check: (ceph: CephServer) => Promise<void>): void {
  Deno.test({ name: `Ceph: ${name}`, ignore: ceph === undefined, fn: () => check(ceph!) });
}

function operations(store: ObjectStore): (() => Promise<unknown>)[] {
  return [() => store.put("a", bytes("y")), () => store.get("a"), () => list(store, "")];
}

function randomBucket(): string {
  return `feedsync-${crypto.randomUUID()}`;
}

/** A store in a bucket that is made now, unless it is there. */
async function openMade(options: BucketOptions): Promise<ObjectStore> {
  const store = await openS3Store(options);
  await store.create?.();
  return store;
}

test("compressed objects come back compressed", async (ceph) => {
  await using store = await openMade({ ...ceph, bucket: randomBucket() });
  const body = new Uint8Array(zstdCompressSync('{"feedsync":1}\n'));
  await store.put("tail/a", body);
  assert.deepEqual(plain(await store.get("tail/a")), body);
});

test("wrong credentials are refused, and not shown", async (ceph) => {
  const wrong = [
    { accessKeyId: "nobody", secretAccessKey: "very-secret" },
    { accessKeyId: ceph.accessKeyId, secretAccessKey: "very-secret" },
  ];
  for (const credentials of wrong) {
    await using store = await openS3Store({ ...ceph, ...credentials, bucket: randomBucket() });
    for (const operation of operations(store)) {
      await assert.rejects(operation, (error) => {
        assert.ok(error instanceof AccessDeniedError);
        assert.match(error.message, /InvalidAccessKeyId|SignatureDoesNotMatch/);
        assert.match(error.message, /check 's3.accessKeyId' and 's3.secretAccessKey'$/);
        assert.doesNotMatch(error.message, /very-secret/);
        return true;
      });
    }
  }
});

test("a missing bucket is an error, and made by create() and nothing else", async (ceph) => {
  await using store = await openS3Store({ ...ceph, bucket: randomBucket() });
  for (const operation of operations(store)) {
    await assert.rejects(operation, (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, /NoSuchBucket/);
      return true;
    });
  }
  assert.equal(await store.create?.(), true);
  assert.equal(await store.create?.(), false);
  await store.put("a", bytes("x"));
  assert.deepEqual(await keys(store, ""), ["a"]);
});

test("a missing bucket that may not be created is told", async (ceph) => {
  const user = await createUser(ceph, "--max-buckets=-1");
  await using store = await openS3Store({ ...user.s3, bucket: randomBucket() });
  await assert.rejects(async () => await store.create?.(), (error) => {
    assert.ok(error instanceof AccessDeniedError);
    assert.match(error.message, /while creating its bucket/);
    return true;
  });
});

test("the bucket of somebody else is out of reach", async (ceph) => {
  const bucket = randomBucket();
  await using store = await openMade({ ...ceph, bucket });
  await store.put("a", bytes("x"));
  await using intruder = await openS3Store({ ...(await createUser(ceph)).s3, bucket });
  for (const operation of operations(intruder)) {
    await assert.rejects(operation, AccessDeniedError);
  }
  const [{ error }] = await intruder.delete(["a"]);
  assert.ok(error instanceof AccessDeniedError);
  assert.deepEqual(plain(await store.get("a")), bytes("x"));
});

test("several servers may create the bucket at once", async (ceph) => {
  const bucket = randomBucket();
  await Promise.all(Array.from({ length: 8 }, async (_, index) => {
    await using store = await openS3Store({ ...ceph, bucket });
    await store.create?.();
    await store.put(`a/${index}`, bytes("x"));
  }));
  await using store = await openS3Store({ ...ceph, bucket });
  assert.equal((await keys(store, "a/")).length, 8);
});

test("objects are encrypted with a key of the service, and come back plain", async (ceph) => {
  const settings = { serverSideEncryption: "aws:kms", bucket: randomBucket() } as const;
  await using store = await openMade({ ...ceph, ...settings, kmsKeyId: "feedsync" });
  await store.put("tail/a", bytes("x"));
  assert.deepEqual(plain(await store.get("tail/a")), bytes("x"));
  await using wrong = await openS3Store({ ...ceph, ...settings, kmsKeyId: "missing" });
  await assert.rejects(wrong.put("tail/b", bytes("x")), (error) => {
    assert.ok(error instanceof AccessDeniedError);
    assert.match(error.message, /check 's3.kmsKeyId'$/);
    return true;
  });
});

test("what is written with a public ACL can be read by all, nothing else", async (ceph) => {
  const bucket = randomBucket();
  const statusOf = async (key: string) => {
    const response = await fetch(`${ceph.endpoint}/${bucket}/${key}`);
    await response.body?.cancel();
    return response.status;
  };
  await using open = await openMade({ ...ceph, bucket, acl: "public-read" });
  await open.put("open", bytes("x"));
  await using closed = await openS3Store({ ...ceph, bucket });
  await closed.put("closed", bytes("x"));
  assert.deepEqual(await Promise.all([statusOf("open"), statusOf("closed"), statusOf("")]), [
    200,
    403,
    403,
  ]);
});

test("a role gives rights that its user does not have", async (ceph) => {
  const endpoint = await ceph.startTokenService();
  const user = await createUser(ceph);
  const right = { Action: "s3:PutObject", Resource: "arn:aws:s3:::*" };
  const assumeRole = { roleArn: await createRole(ceph, user, [right]) };
  const bucket = randomBucket();
  await using owner = await openMade({ ...ceph, bucket });
  await owner.put("tail/a", bytes("x"));
  await using plainly = await openS3Store({ ...user.s3, bucket, endpoint });
  await assert.rejects(plainly.put("tail/b", bytes("x")), AccessDeniedError);
  await using role = await openS3Store({ ...user.s3, bucket, endpoint, assumeRole });
  await role.put("tail/b", bytes("x"));
  await assert.rejects(role.get("tail/b"), AccessDeniedError);
  assert.deepEqual(await keys(owner, ""), ["tail/a", "tail/b"]);
  const stranger = { ...(await createUser(ceph)).s3, bucket, endpoint, assumeRole };
  await using other = await openS3Store(stranger);
  await assert.rejects(
    other.put("tail/c", bytes("x")),
    /assuming the role .*; check the role, and/,
  );
});

test("the right to delete objects below a prefix is enough to delete them", async (ceph) => {
  const bucket = randomBucket(), user = await createUser(ceph), names = ["a", "b", "c"];
  await using owner = await openMade({ ...ceph, bucket });
  for (const name of names) await owner.put(`prod/${name}`, bytes("x"));
  await owner.put("other/a", bytes("x"));
  const Resource = `arn:aws:s3:::${bucket}/prod/*`;
  await allow(ceph, user, bucket, [{ Effect: "Allow", Action: "s3:DeleteObject", Resource }]);
  await using store = await openS3Store({ ...user.s3, bucket });
  assert.equal((await store.delete(["other/a"])).length, 1);
  assert.deepEqual(await store.delete(names.map((name) => `prod/${name}`)), []);
  assert.deepEqual(await keys(owner, ""), ["other/a"]);
});

test("deletes in a bucket that keeps versions are seen to leave them", async (ceph) => {
  const { endpoint, region, accessKeyId, secretAccessKey } = ceph;
  const Bucket = randomBucket();
  await using store = await openMade({ ...ceph, bucket: Bucket });
  for (const key of ["a", "b", "c"]) await store.put(key, bytes("x"));
  assert.deepEqual(await store.delete(["a"]), []);
  assert.equal(store.keepsVersions, false);
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  client.destroy();
  assert.deepEqual(await store.delete(["b", "c"]), []);
  assert.equal(store.keepsVersions, true);
  assert.deepEqual(await keys(store, ""), []);
});
