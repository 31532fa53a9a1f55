/**
 * Deletes objects of a bucket, as many at once as the service allows.
 *
 * @module
 */
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  type DeleteObjectsCommandOutput,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { type Bucket, timeFor } from "./s3_bucket.ts";
import { isDenied, refusesBatches } from "./s3_answers.ts";
import type { FailedDelete, StoreOptions } from "./store.ts";

/** So many keys DeleteObjects takes. */
const BATCH_SIZE = 1_000;
/** So many single deletes are sent at once where there is no DeleteObjects. */
const PARALLEL = 16;
/** How long the service may take for each key of a batch: milliseconds. */
const KEY_TIME = 50;

/** Deletes objects, and remembers whether the service takes batches. */
export class Deleter {
  readonly #bucket: Bucket;
  #takesBatches = true;

  /** Deletes objects in `bucket`. */
  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** See {@linkcode ObjectStore.delete}. */
  async delete(keys: readonly string[], options: StoreOptions): Promise<FailedDelete[]> {
    for (let done = 0; done < keys.length;) {
      const batch = keys.slice(done, done + (this.#takesBatches ? BATCH_SIZE : PARALLEL));
      const failed = this.#takesBatches
        ? await this.#deleteBatch(batch, options)
        : (await Promise.all(batch.map((key) => this.#deleteOne(key, options)))).flat();
      if (failed === undefined) continue;
      done += batch.length;
      if (failed.length > 0) return [...failed, ...allFailed(keys.slice(done), failed[0].error)];
    }
    return [];
  }

  /** Resolves to `undefined` when the service does not take batches. */
  async #deleteBatch(
    keys: readonly string[],
    options: StoreOptions,
  ): Promise<FailedDelete[] | undefined> {
    const command = new DeleteObjectsCommand({
      Bucket: this.#bucket.name,
      Delete: { Quiet: true, Objects: keys.map((key) => ({ Key: this.#bucket.prefix + key })) },
    });
    try {
      const doing = keys.length === 1 ? `deleting ${keys[0]}` : `deleting ${keys.length} objects`;
      const failed = await this.#bucket.request(doing, options, async (client, deadline) => {
        deadline.allow(timeFor(0) + keys.length * KEY_TIME);
        return this.#failures(await client.send(command, { abortSignal: deadline.signal }));
      });
      return failed ?? []; // Nothing is left in a bucket that is missing.
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!refusesBatches(error) && !await this.#allowsSingles(error, keys[0], options)) {
        return allFailed(keys, error as Error);
      }
      this.#takesBatches = false;
    }
  }

  /** Ceph checks batches against the rights for the bucket as a whole, and not those for its objects. */
  async #allowsSingles(error: unknown, key: string, options: StoreOptions): Promise<boolean> {
    return isDenied(error) && (await this.#deleteOne(key, options)).length === 0;
  }

  async #deleteOne(key: string, options: StoreOptions): Promise<FailedDelete[]> {
    const { name, prefix } = this.#bucket;
    const command = new DeleteObjectCommand({ Bucket: name, Key: prefix + key });
    try {
      await this.#bucket.request(
        `deleting ${key}`,
        options,
        (client, { signal }) => client.send(command, { abortSignal: signal }),
      );
      return [];
    } catch (error) {
      options.signal?.throwIfAborted();
      return [{ key, error: error as Error }];
    }
  }

  #failures({ Errors = [], $metadata }: DeleteObjectsCommandOutput): FailedDelete[] {
    return Errors.filter(({ Code }) => Code !== "NoSuchKey").map(({ Key = "", Code, Message }) => {
      const key = Key.slice(this.#bucket.prefix.length);
      const cause = new S3ServiceException({
        name: Code ?? "Unknown",
        message: Message,
        $fault: "server",
        $metadata,
      });
      return { key, error: this.#bucket.explain(cause, `deleting ${key}`) };
    });
  }
}

function allFailed(keys: readonly string[], error: Error): FailedDelete[] {
  return keys.map((key) => ({ key, error }));
}
