/**
 * Deletes objects of a bucket, in batches if the service supports that.
 *
 * @module
 */
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  type DeleteObjectsCommandOutput,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { getLogger } from "@logtape/logtape";
import type { Bucket } from "./bucket.ts";
import { isMissingObject, statusOf } from "./answers.ts";
import { isPassing } from "./diagnosis.ts";
import type { FailedDelete, StoreOptions } from "../store.ts";

/** Maximum number of keys in a DeleteObjects request. */
const BATCH_SIZE = 1_000;
/** Number of single deletes sent in parallel if DeleteObjects does not work. */
const PARALLEL = 16;
/** Time limit for a batch, and the addition for each of its keys. */
const BATCH_MS = 5_000, KEY_MS = 50;
/** How long no batch is sent after one got no answer although a single delete did. */
const BATCH_PAUSE_MS = 10 * 60 * 1000;

const logger = getLogger(["feedsync", "store"]);

/** The result of a batch. */
interface BatchOutcome {
  /** Keys that are not confirmed to be deleted. */
  readonly left: readonly string[];
  /** The first error that may pass, if any. */
  readonly passing?: Error;
}

/**
 * Deletes objects. Batches are tried first. Objects that they leave, for whatever reason, are
 * deleted one by one. If that works, no more batches are sent; if the batch got no answer, only for
 * a while.
 */
export class Deleter {
  readonly #bucket: Bucket;
  /** When the next batch may be sent, by the monotonic clock. */
  #nextBatch = 0;
  #leavesVersions = false;

  /** Deletes objects in `bucket`. */
  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** Whether the bucket keeps deleted objects as old versions. */
  get leavesVersions(): boolean {
    return this.#leavesVersions;
  }

  /** See {@linkcode ObjectStore.delete}. */
  async delete(keys: readonly string[], options: StoreOptions): Promise<FailedDelete[]> {
    for (let done = 0; done < keys.length;) {
      const takesBatches = this.#bucket.clock.elapsed() >= this.#nextBatch;
      const some = takesBatches ? keys.slice(done, done + BATCH_SIZE) : keys.slice(done);
      const failed = takesBatches
        ? await this.#deleteBatch(some, options)
        : await this.#deleteSingly(some, options);
      done += some.length;
      if (failed.length > 0) return [...failed, ...allFailed(keys.slice(done), failed[0].error)];
    }
    return [];
  }

  async #deleteBatch(keys: readonly string[], options: StoreOptions): Promise<FailedDelete[]> {
    let outcome: BatchOutcome;
    try {
      outcome = await this.#sendBatch(keys, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (statusOf(error) === undefined) return await this.#doWithoutBatches(keys, options);
      outcome = { left: keys, ...isPassing(error) && { passing: error as Error } };
    }
    const { left, passing } = outcome;
    const failed = await this.#deleteSingly(left, options);
    if (failed.length < left.length && !passing) this.#nextBatch = Infinity;
    return failed;
  }

  /** Falls back to single deletes if a batch got no answer: a proxy may cut or hang every batch. */
  async #doWithoutBatches(keys: readonly string[], options: StoreOptions): Promise<FailedDelete[]> {
    const failed = await this.#deleteSingly(keys, options);
    const isAnswered = failed.length < keys.length || statusOf(failed[0].error) !== undefined;
    if (isAnswered) {
      const { url, clock } = this.#bucket;
      logger.info("No answer to batch deletes in {url}; deleting objects one by one", {
        url,
      });
      this.#nextBatch = clock.elapsed() + BATCH_PAUSE_MS;
    }
    return failed;
  }

  async #sendBatch(keys: readonly string[], options: StoreOptions): Promise<BatchOutcome> {
    const command = new DeleteObjectsCommand({
      Bucket: this.#bucket.name,
      Delete: { Objects: keys.map((key) => ({ Key: this.#bucket.prefix + key })) },
    });
    const doing = keys.length === 1 ? `deleting ${keys[0]}` : `deleting ${keys.length} objects`;
    const answer = await this.#bucket.request(doing, options, (client, deadline) => {
      deadline.allow(BATCH_MS + keys.length * KEY_MS);
      return client.send(command, { abortSignal: deadline.signal });
    });
    return this.#outcome(keys, answer);
  }

  /** Only confirmed keys count as deleted: the answer may be a page of another server. */
  #outcome(
    keys: readonly string[],
    { Deleted = [], Errors = [], $metadata }: DeleteObjectsCommandOutput,
  ): BatchOutcome {
    const { prefix } = this.#bucket;
    const absent = Errors.filter(({ Code }) => Code === "NoSuchKey");
    const gone = new Set([...Deleted, ...absent].map(({ Key = "" }) => Key.slice(prefix.length)));
    for (const { DeleteMarker } of Deleted) this.#leavesVersions ||= DeleteMarker === true;
    const passing = Errors.map(({ Code = "Unknown", Message }) =>
      new S3ServiceException({ name: Code, message: Message, $fault: "server", $metadata })
    ).find((error) => isPassing(error) || error.name === "InternalError");
    return { left: keys.filter((key) => !gone.has(key)), ...passing && { passing } };
  }

  /** Deletes one by one; the first alone, since it shows whether the others can work. */
  async #deleteSingly(keys: readonly string[], options: StoreOptions): Promise<FailedDelete[]> {
    for (let done = 0, width = 1; done < keys.length; width = PARALLEL) {
      const some = keys.slice(done, done + width);
      const failed = (await Promise.all(some.map((key) => this.#deleteOne(key, options)))).flat();
      done += some.length;
      if (failed.length > 0) return [...failed, ...allFailed(keys.slice(done), failed[0].error)];
    }
    return [];
  }

  async #deleteOne(key: string, options: StoreOptions): Promise<FailedDelete[]> {
    const { name, prefix } = this.#bucket;
    const command = new DeleteObjectCommand({ Bucket: name, Key: prefix + key });
    try {
      const answer = await this.#bucket.request(
        `deleting ${key}`,
        options,
        (client, { signal }) => client.send(command, { abortSignal: signal }),
      );
      this.#leavesVersions ||= answer.DeleteMarker === true;
      return [];
    } catch (error) {
      options.signal?.throwIfAborted();
      return isMissingObject(error) ? [] : [{ key, error: error as Error }];
    }
  }
}

function allFailed(keys: readonly string[], error: Error): FailedDelete[] {
  return keys.map((key) => ({ key, error }));
}
