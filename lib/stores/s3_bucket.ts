/**
 * A bucket at a service: sends requests there, ends those that hang, and tells what went wrong.
 *
 * @module
 */
import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import { getLogger } from "@logtape/logtape";
import type { S3Config } from "../config/s3_config.ts";
import { type Environment, systemEnvironment } from "../environment.ts";
import type { FeedSyncError } from "../errors.ts";
import { Deadline } from "./deadline.ts";
import { type ConnectedClient, createClient } from "./s3_client.ts";
import { areFixed } from "./s3_credentials.ts";
import { isExistingBucket, isMissingBucket, isOutdated } from "./s3_answers.ts";
import { s3Error } from "./s3_errors.ts";
import { Transport } from "./s3_transport.ts";
import type { StoreOptions } from "./store.ts";

const logger = getLogger(["feedsync", "store"]);

/** How long the service may take for an answer, apart from what sizes need: milliseconds. */
const ANSWER_TIME = 15_000;
/** A connection that is slower hangs: bytes a millisecond, so about 32 kB a second. */
const LEAST_SPEED = 32;

/** Which bucket it is, and how it is reached. */
export interface BucketOptions extends S3Config {
  /** Name of the bucket. A write creates it when it is missing and that is allowed. */
  readonly bucket: string;
  /** Keys start with it: empty, or with a slash at the end. */
  readonly prefix?: string;
  /** Where the time comes from. */
  readonly environment?: Environment;
}

/** Options of {@linkcode Bucket.request}. */
export interface RequestOptions extends StoreOptions {
  /** Bytes that the request sends. @default {0} */
  readonly size?: number;
}

/** Sends a request with the client and reads the answer, in the time that `deadline` gives. */
export type Request<T> = (client: S3Client, deadline: Deadline) => Promise<T>;

/** A bucket and the connections to it. */
export class Bucket implements Disposable {
  /** Its name. */
  readonly name: string;
  /** The store's keys start with it. */
  readonly prefix: string;
  /** URL of the store in it. */
  readonly url: string;
  /** Which service has it. */
  readonly identity: string;
  /** Counts requests and knows the store's clock. */
  readonly transport: Transport;
  readonly #client: S3Client;
  readonly #service: string;
  readonly #canRenew: boolean;
  #renewing: Promise<unknown> | undefined;
  /** It was there. */
  #isKnown = false;
  /** It was said that it is missing. */
  #isMissing = false;
  readonly #clock;

  private constructor(
    { bucket, prefix = "", environment = systemEnvironment, ...s3 }: BucketOptions,
    transport: Transport,
    { client, service, identity }: ConnectedClient,
  ) {
    this.name = bucket;
    this.prefix = prefix;
    this.url = `s3://${bucket}/${prefix}`.replace(/\/$/, "");
    this.identity = identity;
    this.transport = transport;
    this.#client = client;
    this.#service = service;
    this.#canRenew = !areFixed(s3);
    this.#clock = environment.clock;
  }

  /**
   * Makes ready for requests.
   *
   * @throws {ConfigError} when it is not known which service to talk to.
   */
  static async open(options: BucketOptions): Promise<Bucket> {
    const transport = new Transport((options.environment ?? systemEnvironment).clock);
    try {
      return new Bucket(options, transport, await createClient(options, transport));
    } catch (error) {
      transport[Symbol.dispose]();
      throw error;
    }
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    this.#client.destroy();
    this.transport[Symbol.dispose]();
  }

  /**
   * Sends a request; when the credentials are outdated, fetches new ones and sends it again. Resolves
   * to `undefined` when there is no bucket yet: nothing is in it. One that was there is not empty when it
   * is said to be missing: that may pass. `doing` says what it is for, in errors.
   *
   * @throws {StoreUnavailableError | AccessDeniedError | ConfigError} or the signal's reason.
   */
  async request<T>(
    doing: string,
    options: RequestOptions,
    request: Request<T>,
  ): Promise<T | undefined> {
    try {
      const answer = await this.#send(doing, options, request);
      [this.#isKnown, this.#isMissing] = [true, false];
      return answer;
    } catch (error) {
      if (!isMissingBucket(error) || this.#isKnown) throw error;
      this.#tellMissing();
    }
  }

  /** The same for a request that writes: when there is no bucket, creates it and sends it again. */
  async write<T>(doing: string, options: RequestOptions, request: Request<T>): Promise<T> {
    try {
      return await this.#send(doing, options, request);
    } catch (error) {
      if (!isMissingBucket(error)) throw error;
    }
    await this.#create(options);
    return await this.#send(doing, options, request);
  }

  /** The store's error for what the SDK threw while `doing` something. */
  explain(error: unknown, doing: string): FeedSyncError {
    return s3Error(error, { url: this.url, service: this.#service }, doing);
  }

  async #create({ signal }: StoreOptions): Promise<void> {
    const command = new CreateBucketCommand({ Bucket: this.name });
    try {
      await this.#send(
        "creating its bucket, which is missing",
        { signal },
        (client, deadline) => client.send(command, { abortSignal: deadline.signal }),
      );
      // Its name may have been mistyped.
      logger.warn("Created the bucket {name}, which was missing", { name: this.name });
    } catch (error) {
      if (!isExistingBucket(error)) throw error;
    }
  }

  /** Once, until it is there: every poll finds it missing. */
  #tellMissing(): void {
    if (this.#isMissing) return;
    this.#isMissing = true;
    logger.warn(
      "There is no bucket {name} at {service} yet: it is taken for an empty one, and the first " +
        "update that is published creates it",
      { name: this.name, service: this.#service },
    );
  }

  async #send<T>(doing: string, options: RequestOptions, request: Request<T>): Promise<T> {
    try {
      return await this.#attempt(doing, options, request);
    } catch (error) {
      if (!this.#canRenew || !isOutdated(error)) throw error;
    }
    await this.#renewCredentials(doing, options);
    return await this.#attempt(doing, options, request);
  }

  /** For all requests that are refused meanwhile, too. */
  async #renewCredentials(doing: string, { signal }: RequestOptions): Promise<void> {
    const renew = (client: S3Client) =>
      this.#renewing ??= client.config.credentials({ forceRefresh: true })
        .finally(() => this.#renewing = undefined);
    await this.#attempt(`${doing}, renewing the credentials`, { signal }, renew);
  }

  async #attempt<T>(
    doing: string,
    { signal, size = 0 }: RequestOptions,
    request: Request<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    using deadline = new Deadline(this.#clock, signal);
    deadline.allow(timeFor(size));
    try {
      return await deadline.race(request(this.#client, deadline));
    } catch (error) {
      signal?.throwIfAborted();
      throw this.explain(error, doing);
    }
  }
}

/** How long a request or answer of this size may take: milliseconds. */
export function timeFor(size: number): number {
  return ANSWER_TIME + Math.round(size / LEAST_SPEED);
}
