/**
 * A store in a bucket of an S3-compatible service.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Config } from "../../config/s3.ts";
import { mediaTypeOf } from "../body_format.ts";
import { CorruptObjectError } from "../../errors.ts";
import { checkKey } from "../object_key.ts";
import { readBody } from "./bodies.ts";
import { Bucket, type BucketOptions } from "./bucket.ts";
import { createBucket } from "./create_bucket.ts";
import { Deleter } from "./delete.ts";
import { Lister } from "./listing.ts";
import { timeFor } from "./retry_policy.ts";
import { bodySize } from "./request_handler.ts";
import {
  type ChecksumKind,
  ForeignAnswerError,
  isMissingObject,
  requiredChecksum,
} from "./answers.ts";
import {
  type FailedDelete,
  type ListOptions,
  MAX_OBJECT_BYTES,
  type ObjectInfo,
  type ObjectStore,
  type RequestCounts,
  type StoreOptions,
  tooLarge,
} from "../store.ts";

/**
 * Opens a store in a bucket, without sending a request.
 *
 * @throws {ConfigError} when the service cannot be determined.
 */
export async function openS3Store(options: BucketOptions): Promise<ObjectStore> {
  return new S3Store(await Bucket.open(options), options);
}

/** The parameter of the SDK for each kind of checksum. */
const CHECKSUMS = {
  md5: "ContentMD5",
  crc32: "ChecksumCRC32",
  sha1: "ChecksumSHA1",
  sha256: "ChecksumSHA256",
} as const;

class S3Store implements ObjectStore {
  readonly #bucket: Bucket;
  readonly #deleter: Deleter;
  readonly #lister: Lister;
  /** Parameters for writing each object. */
  readonly #settings;
  /** The checksum that the service requires, once it has said so. */
  #checksum: ChecksumKind | undefined;

  constructor(bucket: Bucket, { serverSideEncryption, kmsKeyId, acl }: S3Config) {
    this.#bucket = bucket;
    this.#settings = {
      ServerSideEncryption: serverSideEncryption,
      SSEKMSKeyId: kmsKeyId,
      ACL: acl,
    };
    this.#deleter = new Deleter(bucket);
    this.#lister = new Lister(bucket);
  }

  get url(): string {
    return this.#bucket.url;
  }

  get service(): string {
    return this.#bucket.identity;
  }

  get clockOffset(): number | undefined {
    return this.#bucket.meter.clockOffset;
  }

  get keepsVersions(): boolean {
    return this.#deleter.leavesVersions;
  }

  get requests(): RequestCounts {
    return this.#bucket.meter.requests;
  }

  expectObjects(): void {
    this.#bucket.noteThere();
  }

  create(options: StoreOptions = {}): Promise<boolean> {
    return createBucket(this.#bucket, this.#lister, options);
  }

  async put(key: string, body: Uint8Array, { signal }: StoreOptions = {}): Promise<void> {
    const checksum = this.#checksum; // Parallel writes may all be refused at first.
    try {
      await this.#write(key, body, { checksum, signal });
    } catch (error) {
      const required = requiredChecksum(error);
      if (required === undefined || required === checksum) throw error;
      // Buckets with Object Lock require a checksum; other services may reject one.
      this.#checksum = required;
      await this.#write(key, body, { checksum: required, signal });
    }
  }

  async #write(
    key: string,
    body: Uint8Array,
    { checksum, signal }: StoreOptions & { readonly checksum: ChecksumKind | undefined },
  ): Promise<void> {
    const command = new PutObjectCommand({
      ...this.#object(key),
      ...this.#settings,
      ...checksum && { [CHECKSUMS[checksum]]: checksumOf(checksum, body) },
      ContentType: mediaTypeOf(body),
      Body: body,
    });
    const options = { signal, size: body.length };
    await this.#bucket.request(`writing ${key}`, options, async (client, deadline) => {
      const answer = await client.send(command, { abortSignal: deadline.signal });
      // Without this check, a page of another server would count as success.
      const { ETag = answer.$metadata.requestId } = answer;
      if (ETag === undefined) throw new ForeignAnswerError(200);
      return ETag;
    });
  }

  async get(key: string, { signal }: StoreOptions = {}): Promise<Uint8Array | undefined> {
    const command = new GetObjectCommand(this.#object(key));
    const body = await this.#bucket.request(
      `reading ${key}`,
      { signal },
      async (client, deadline) => {
        try {
          const answer = await client.send(command, { abortSignal: deadline.signal });
          deadline.allow(timeFor(Math.min(answer.ContentLength ?? 0, MAX_OBJECT_BYTES)));
          const { Body, ContentLength: length, ContentEncoding: encoding } = answer;
          return await readBody(Body!.transformToWebStream(), bodySize({ length, encoding }));
        } catch (error) {
          if (isMissingObject(error)) return undefined;
          throw error;
        }
      },
    );
    if (body === "too large") throw tooLarge(key);
    if (body === "malformed") {
      throw new CorruptObjectError(key, "it is not compressed as it claims");
    }
    return body;
  }

  list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo> {
    return this.#lister.list(prefix, options);
  }

  async delete(keys: readonly string[], options: StoreOptions = {}): Promise<FailedDelete[]> {
    keys.forEach(checkKey);
    return await this.#deleter.delete(keys, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#bucket[Symbol.dispose]();
    return Promise.resolve();
  }

  #object(key: string): { Bucket: string; Key: string } {
    checkKey(key);
    return { Bucket: this.#bucket.name, Key: this.#bucket.prefix + key };
  }
}

/** The checksum in base64, as headers hold it. */
function checksumOf(kind: ChecksumKind, body: Uint8Array): string {
  if (kind !== "crc32") return createHash(kind).update(body).digest("base64");
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc32(body));
  return bytes.toBase64();
}
