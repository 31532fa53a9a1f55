/**
 * Creates a bucket.
 *
 * @module
 */
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { sleep } from "../../base/environment.ts";
import { AccessDeniedError, ConfigError } from "../../errors.ts";
import type { StoreOptions } from "../store.ts";
import {
  codeOf,
  isBeingCreated,
  isDenied,
  isExistingBucket,
  isMissingBucket,
  statusOf,
} from "./answers.ts";
import type { Bucket } from "./bucket.ts";
import type { Lister } from "./listing.ts";

/** How often, and at what intervals, it is looked whether a new bucket is there. */
const MAX_LOOKS = 5, INTERVAL_MS = 1000;

/**
 * Creates the bucket, unless it is there; resolves to whether it did, once the bucket can be seen.
 * Others may do the same at the same time.
 *
 * @throws {ConfigError} when its name is taken.
 * @throws {AccessDeniedError} when it must not be created, or is somebody else's.
 * @throws {StoreUnavailableError} when the service cannot be reached.
 */
export async function createBucket(
  bucket: Bucket,
  lister: Lister,
  options: StoreOptions,
): Promise<boolean> {
  if (!await findMissing(lister, options)) return false;
  const refusal = await refusalOf(sendCreate(bucket, options));
  for (let look = 1;; look++) {
    const missing = await findMissing(lister, options);
    if (!missing) return refusal === undefined;
    if (look === MAX_LOOKS) throw refusal ? whyRefused(bucket, refusal) : missing;
    await sleep(bucket.clock, INTERVAL_MS, options.signal);
  }
}

/** The error that says that there is no such bucket; undefined if there is. */
async function findMissing(lister: Lister, options: StoreOptions): Promise<Error | undefined> {
  try {
    for await (const _ of lister.list("tail/", options)) break;
  } catch (error) {
    if (isMissingBucket(error)) return error as Error;
    throw isDenied(error) ? perhapsForeign(error as Error) : error;
  }
}

/** Why the bucket was not created, if somebody else has created it or is about to. */
async function refusalOf(creation: Promise<void>): Promise<Error | undefined> {
  try {
    await creation;
  } catch (error) {
    if (!isExistingBucket(error) && !isBeingCreated(error)) throw error;
    return error as Error;
  }
}

/** The SDK sends the region as location of the bucket: AWS requires that, others may reject it. */
async function sendCreate(bucket: Bucket, { signal }: StoreOptions): Promise<void> {
  const send = (command: CreateBucketCommand) =>
    bucket.request(
      "creating its bucket",
      { signal },
      (client, deadline) => client.send(command, { abortSignal: deadline.signal }),
    );
  try {
    await send(new CreateBucketCommand({ Bucket: bucket.name }));
  } catch (error) {
    if (statusOf(error) !== 400) throw error;
    await send(withoutLocation(bucket.name)).catch((second) => {
      throw isExistingBucket(second) || isBeingCreated(second) ? second : error;
    });
  }
}

/** Creates the bucket at the default location of the service. */
function withoutLocation(name: string): CreateBucketCommand {
  const command = new CreateBucketCommand({ Bucket: name });
  command.middlewareStack.add(
    (next) => ({ input: { CreateBucketConfiguration: _, ...input }, ...args }) =>
      next({ ...args, input }),
    { step: "initialize", priority: "low" }, // After the SDK has named the region.
  );
  return command;
}

function whyRefused({ url }: Bucket, cause: Error): Error {
  if (!isExistingBucket(cause)) return cause;
  return new ConfigError(
    `Cannot use the store ${url}: the name of its bucket is taken, by somebody else or in another ` +
      `region (${codeOf(cause)}); name another one in 'store', or check 's3.region' and ` +
      "'s3.endpoint'",
    { cause },
  );
}

function perhapsForeign(cause: Error): AccessDeniedError {
  return new AccessDeniedError(
    `${cause.message}; if the bucket is somebody else's, name another one in 'store'`,
    { cause },
  );
}
