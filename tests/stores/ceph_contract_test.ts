import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import { cephServer } from "../servers/ceph.ts";
import { testContract } from "./contract.ts";

const ceph = await cephServer();
Deno.test.afterAll(async () => await ceph?.[Symbol.asyncDispose]());

testContract("Ceph", async () => {
  const bucket = `feedsync-${crypto.randomUUID()}`;
  const open = () => openS3Store({ ...ceph, bucket, prefix: "some/prefix/" });
  await using store = await open();
  await store.create?.();
  return { open, [Symbol.asyncDispose]: () => Promise.resolve() };
}, { ignore: ceph === undefined });
