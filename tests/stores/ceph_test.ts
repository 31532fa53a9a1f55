import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { AccessDeniedError } from "../../lib/errors.ts";
import type { S3Config } from "../../lib/config/s3_config.ts";
import { openS3Store } from "../../lib/stores/s3.ts";
import type { ObjectStore } from "../../lib/stores/store.ts";
import { type CephServer, cephServer } from "../servers/ceph.ts";
import { bytes, keys, list, plain } from "./contract.ts";

const ceph = await cephServer();
Deno.test.afterAll(async () => await ceph?.[Symbol.asyncDispose]());

function test(name: string, check: (ceph: CephServer) => Promise<void>): void {
  Deno.test({ name: `Ceph: ${name}`, ignore: ceph === undefined, fn: () => check(ceph!) });
}

/** A user of its own, whose credentials are in the result. */
async function createUser(ceph: CephServer, ...options: string[]): Promise<S3Config> {
  const id = crypto.randomUUID();
  const keys = { accessKeyId: `key-${id}`, secretAccessKey: `secret-${id}` };
  await ceph.admin(
    ...["user", "create", `--uid=${id}`, "--display-name=Test", ...options],
    ...[`--access-key=${keys.accessKeyId}`, `--secret-key=${keys.secretAccessKey}`],
  );
  return { ...keys, endpoint: ceph.endpoint, region: ceph.region };
}

function operations(store: ObjectStore): (() => Promise<unknown>)[] {
  return [() => store.put("a", bytes("y")), () => store.get("a"), () => list(store, "")];
}

function randomBucket(): string {
  return `feedsync-${crypto.randomUUID()}`;
}

test("compressed objects come back compressed", async (ceph) => {
  await using store = await openS3Store({ ...ceph, bucket: randomBucket() });
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

test("a missing bucket that may not be created is told", async (ceph) => {
  const user = await createUser(ceph, "--max-buckets=-1");
  await using store = await openS3Store({ ...user, bucket: randomBucket() });
  for (const operation of operations(store)) {
    await assert.rejects(operation, (error) => {
      assert.ok(error instanceof AccessDeniedError);
      assert.match(error.message, /while creating its bucket, which is missing/);
      return true;
    });
  }
});

test("the bucket of somebody else is out of reach", async (ceph) => {
  const bucket = randomBucket();
  await using store = await openS3Store({ ...ceph, bucket });
  await store.put("a", bytes("x"));
  await using intruder = await openS3Store({ ...await createUser(ceph), bucket });
  for (const operation of operations(intruder)) {
    await assert.rejects(operation, AccessDeniedError);
  }
  const [{ error }] = await intruder.delete(["a"]);
  assert.ok(error instanceof AccessDeniedError);
  assert.deepEqual(plain(await store.get("a")), bytes("x"));
});

test("several stores may find the bucket missing at once", async (ceph) => {
  const bucket = randomBucket();
  await Promise.all(Array.from({ length: 8 }, async (_, index) => {
    await using store = await openS3Store({ ...ceph, bucket });
    await store.put(`a/${index}`, bytes("x"));
  }));
  await using store = await openS3Store({ ...ceph, bucket });
  assert.equal((await keys(store, "a/")).length, 8);
});
