/**
 * A bucket of its own for a run.
 *
 * @module
 */
import { DeleteBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { dirname, join } from "node:path";
import type { S3Config } from "../../lib/config/s3.ts";
import { openStore } from "../../lib/stores/open.ts";
import type { CephServer } from "../servers/ceph.ts";
import { makeBucket } from "../servers/made_bucket.ts";

/** A bucket at Ceph's gateway, reached without detours. */
export class Bucket implements AsyncDisposable {
  /** Its name. */
  readonly name: string;
  /** How it is reached. */
  readonly s3: S3Config & Required<Pick<S3Config, "endpoint">>;

  private constructor({ endpoint, accessKeyId, secretAccessKey }: CephServer) {
    this.name = `feedsync-chaos-${crypto.randomUUID()}`;
    this.s3 = { endpoint, region: "us-east-1", accessKeyId, secretAccessKey };
  }

  /** Makes it. */
  static async make(ceph: CephServer): Promise<Bucket> {
    const bucket = new Bucket(ceph);
    await makeBucket({ store: bucket.url, s3: bucket.s3 });
    return bucket;
  }

  /** URL of the store in it. */
  get url(): string {
    return `s3://${this.name}`;
  }

  /** How much is in it. */
  async measure(): Promise<{ objects: number; bytes: number }> {
    await using store = await openStore(this.url, this.s3);
    let objects = 0, bytes = 0;
    for await (const { size } of store.list("")) {
      objects++;
      bytes += size;
    }
    return { objects, bytes };
  }

  /** Copies what is in it to a directory. */
  async save(directory: string): Promise<void> {
    await using store = await openStore(this.url, this.s3);
    for await (const { key } of store.list("")) {
      const path = join(directory, key);
      await Deno.mkdir(dirname(path), { recursive: true });
      const body = await store.get(key);
      if (body) await Deno.writeFile(path, body);
    }
  }

  /** Removes it, with everything in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using store = await openStore(this.url, this.s3);
    const keys = (await Array.fromAsync(store.list(""))).map(({ key }) => key);
    const failures = await store.delete(keys);
    if (failures.length > 0) throw failures[0].error;
    const { accessKeyId, secretAccessKey } = this.s3;
    const client = new S3Client({
      ...this.s3,
      forcePathStyle: true,
      credentials: { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! },
    });
    await client.send(new DeleteBucketCommand({ Bucket: this.name }));
    client.destroy();
  }
}
