/**
 * A bucket at a service: sends requests, creates the bucket if it is missing, and explains
 * failures.
 *
 * @module
 */
import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import { getLogger } from "@logtape/logtape";
import type { S3Config } from "../../config/s3.ts";
import { type Clock, type Environment, systemEnvironment } from "../../base/environment.ts";
import { ConfigError, type FeedSyncError } from "../../errors.ts";
import { OnceLog } from "../../base/once_log.ts";
import { type ConnectedClient, createClient } from "./client.ts";
import { areFixed } from "./credentials.ts";
import {
  codeOf,
  isBeingCreated,
  isDenied,
  isExistingBucket,
  isMissingBucket,
  statusOf,
} from "./answers.ts";
import { checkEndpoint } from "./endpoint.ts";
import { s3Error } from "./errors.ts";
import { type Request, Sender } from "./retry_policy.ts";
import { Transport } from "./transport.ts";
import type { Meter } from "../meter.ts";
import type { StoreOptions } from "../store.ts";

const logger = getLogger(["feedsync", "store"]);

/** Options of {@linkcode Bucket.open}. */
export interface BucketOptions extends S3Config {
  /** Name of the bucket. If it is missing, a write creates it, where that is allowed. */
  readonly bucket: string;
  /** Prefix of all keys: empty, or with a slash at the end. */
  readonly prefix?: string;
  /** Time and randomness. @default the machine's */
  readonly environment?: Environment;
}

/** Options of {@linkcode Bucket.request}. */
export interface RequestOptions extends StoreOptions {
  /** Size of the request body in bytes. @default {0} */
  readonly size?: number;
}

/** A bucket and the connections to it. */
export class Bucket implements Disposable {
  /** Name of the bucket. */
  readonly name: string;
  /** Prefix of all keys of the store. */
  readonly prefix: string;
  /** URL of the store in the bucket. */
  readonly url: string;
  /** Identifies the service that has the bucket. */
  readonly identity: string;
  /** Counts requests and reads the store's clock. */
  readonly meter: Meter;
  readonly #transport: Transport;
  readonly #client: S3Client;
  readonly #service: string;
  readonly #sender: Sender;
  /** Whether the bucket has been seen. */
  #isKnown = false;
  #isMissing = false;
  readonly #problems: OnceLog;
  /** Measures how long requests take. */
  readonly clock: Clock;

  private constructor(
    { bucket, prefix = "", environment = systemEnvironment, ...s3 }: BucketOptions,
    transport: Transport,
    { client, service, identity }: ConnectedClient,
  ) {
    this.name = bucket;
    this.prefix = prefix;
    this.url = `s3://${bucket}/${prefix}`.replace(/\/$/, "");
    this.identity = identity;
    this.meter = transport.meter;
    this.#transport = transport;
    this.#client = client;
    this.#service = service;
    this.#sender = new Sender(client, { clock: environment.clock, canRenew: !areFixed(s3) });
    this.#problems = new OnceLog(logger, environment.clock);
    this.clock = environment.clock;
  }

  /**
   * Connects to the service, without sending a request.
   *
   * @throws {ConfigError} when the service cannot be determined.
   */
  static async open(options: BucketOptions): Promise<Bucket> {
    const transport = new Transport((options.environment ?? systemEnvironment).clock);
    try {
      const connected = await createClient(options, transport);
      if (connected.endpoint !== undefined) checkEndpoint(connected.endpoint, options.bucket);
      return new Bucket(options, transport, connected);
    } catch (error) {
      transport[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether the last answer was that the bucket is missing, and it was never seen before. */
  get isMissing(): boolean {
    return this.#isMissing;
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    this.#client.destroy();
    this.#transport[Symbol.dispose]();
  }

  /**
   * Sends a request, and retries it as `retry_policy.ts` says. Resolves to `undefined` when there
   * is no bucket yet, which counts as empty. Rejects if a bucket that was seen before is reported
   * missing: that may pass. `doing` is the purpose of the request, for error messages.
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
      // Services may answer that an object is missing where the whole bucket is.
      if (answer !== undefined) this.#noteSeen();
      return answer;
    } catch (error) {
      if (!isMissingBucket(error) || this.#isKnown) throw error;
      this.#isMissing = true;
      this.#warnOfMissing();
    }
  }

  /**
   * Sends a request that writes; if the bucket is missing, creates it and sends the request again.
   */
  async write<T>(doing: string, options: RequestOptions, request: Request<T>): Promise<T> {
    try {
      return await this.#send(doing, options, request);
    } catch (error) {
      if (!isMissingBucket(error)) throw error;
    }
    const conflict = await this.#create(options);
    try {
      return await this.#send(doing, options, request);
    } catch (error) {
      if (!conflict || !(isMissingBucket(error) || isDenied(error))) throw error;
      throw this.#nameTaken(doing, conflict);
    }
  }

  /** Converts an error that the SDK threw while `doing` something to one of the store. */
  explain(error: unknown, doing: string): FeedSyncError {
    return s3Error(error, { url: this.url, service: this.#service }, doing);
  }

  /**
   * Creates the bucket. Resolves to the error if the name is taken: the bucket may belong to
   * somebody else.
   */
  async #create(options: StoreOptions): Promise<Error | undefined> {
    try {
      await this.#sendCreate(options);
      // Warn, as the name may be mistyped.
      logger.warn("Created the bucket {name}, which was missing", { name: this.name });
    } catch (error) {
      if (isExistingBucket(error)) return error as Error;
      if (!isBeingCreated(error)) throw error;
    }
  }

  /**
   * The SDK sends the region as location of the bucket: AWS requires that, others may reject it.
   */
  async #sendCreate({ signal }: StoreOptions): Promise<void> {
    const create = (command: CreateBucketCommand) =>
      this.#send(
        "creating its bucket, which is missing",
        { signal },
        (client, deadline) => client.send(command, { abortSignal: deadline.signal }),
      );
    try {
      await create(new CreateBucketCommand({ Bucket: this.name }));
    } catch (error) {
      if (statusOf(error) !== 400) throw error;
      await create(createAnywhere(this.name)).catch((second) => {
        throw isExistingBucket(second) || isBeingCreated(second) ? second : error;
      });
    }
  }

  #nameTaken(doing: string, conflict: Error): ConfigError {
    return new ConfigError(
      `Cannot use the store ${this.url} at ${this.#service} while ${doing}: the name of its ` +
        `bucket is taken, by somebody else or in another region (${
          codeOf(conflict)
        }); name another ` +
        "one in 'store', or check 's3.region' and 's3.endpoint'",
      { cause: conflict },
    );
  }

  #noteSeen(): void {
    this.#isKnown = true;
    this.#isMissing = false;
    this.#problems.resolved(this.name);
  }

  #warnOfMissing(): void {
    this.#problems.problem(this.name, {
      text:
        "There is no bucket {name} at {service} yet: if it stays missing, it counts as empty, " +
        "and publishing the first update creates it",
      properties: { name: this.name, service: this.#service },
    });
  }

  #send<T>(doing: string, options: RequestOptions, request: Request<T>): Promise<T> {
    const explain = (error: unknown, doing: string) => this.explain(error, doing);
    return this.#sender.send(request, { ...options, doing, explain });
  }
}

/** Creates a bucket at the default location of the service. */
function createAnywhere(name: string): CreateBucketCommand {
  const command = new CreateBucketCommand({ Bucket: name });
  command.middlewareStack.add(
    (next) => ({ input: { CreateBucketConfiguration: _, ...input }, ...args }) =>
      next({ ...args, input }),
    { step: "initialize", priority: "low" }, // After the SDK has named the region.
  );
  return command;
}
