import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import { cephServer } from "../servers/ceph.ts";
import { testContract } from "./contract.ts";

const ceph = await cephServer();
Deno.test.afterAll(async () => await ceph?.[Symbol.asyncDispose]());

testContract("Ceph", () => {
  const bucket = `feedsync-${crypto.randomUUID()}`;
  return Promise.resolve({
    open: () => openS3Store({ ...ceph, bucket, prefix: "some/prefix/" }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}, { ignore: ceph === undefined });
