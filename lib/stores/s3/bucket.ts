/**
 * A bucket at a service: sends requests, and explains failures.
 *
 * @module
 */
import type { S3Client } from "@aws-sdk/client-s3";
import type { S3Config } from "../../config/s3.ts";
import { type Clock, type Environment, systemEnvironment } from "../../base/environment.ts";
import type { FeedSyncError } from "../../errors.ts";
import { type ConnectedClient, createClient } from "./client.ts";
import { areFixed } from "./credentials.ts";
import { bucketUrl, checkEndpoint } from "../endpoint.ts";
import { s3Error } from "./errors.ts";
import { type Request, Sender } from "./retry_policy.ts";
import { Transport } from "./transport.ts";
import { DATE_RESOLUTION_MS, Meter } from "../meter.ts";
import type { StoreOptions } from "../store.ts";

/** Options of {@linkcode Bucket.open}. */
export interface BucketOptions extends S3Config {
  /** Name of the bucket. */
  readonly bucket: string;
  /** Prefix of all keys: empty, or with a slash at the end. */
  readonly prefix?: string;
  /** Time and randomness. @default the machine's */
  readonly environment?: Environment;
  /** Measures the requests. @default a new one */
  readonly meter?: Meter;
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
  /** Whether the bucket was there before. */
  #wasThere = false;
  /** Measures how long requests take. */
  readonly clock: Clock;

  private constructor(
    { bucket, prefix = "", environment = systemEnvironment, ...s3 }: BucketOptions,
    transport: Transport,
    { client, service, identity }: ConnectedClient,
  ) {
    this.name = bucket;
    this.prefix = prefix;
    this.url = bucketUrl(bucket, prefix);
    this.identity = identity;
    this.meter = transport.meter;
    this.#transport = transport;
    this.#client = client;
    this.#service = service;
    this.#sender = new Sender(client, { clock: environment.clock, canRenew: !areFixed(s3) });
    this.clock = environment.clock;
  }

  /**
   * Connects to the service, without sending a request.
   *
   * @throws {ConfigError} when the service cannot be determined.
   */
  static async open(options: BucketOptions): Promise<Bucket> {
    const { environment: { clock } = systemEnvironment } = options;
    const transport = new Transport(clock, options.meter ?? new Meter(clock, DATE_RESOLUTION_MS));
    try {
      const connected = await createClient(options, transport);
      if (connected.endpoint !== undefined) checkEndpoint(connected.endpoint, options.bucket);
      return new Bucket(options, transport, connected);
    } catch (error) {
      transport[Symbol.dispose]();
      throw error;
    }
  }

  /** Notes that the bucket is there, or was: its name is right, even if it is missing later. */
  noteThere(): void {
    this.#wasThere = true;
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    this.#client.destroy();
    this.#transport[Symbol.dispose]();
  }

  /**
   * Sends a request, and retries it as `retry_policy.ts` says. `doing` is the purpose of the
   * request, for error messages.
   *
   * @throws {StoreUnavailableError | AccessDeniedError | ConfigError} or the signal's reason.
   */
  async request<T>(doing: string, options: RequestOptions, request: Request<T>): Promise<T> {
    const explain = (error: unknown, doing: string) => this.explain(error, doing);
    const answer = await this.#sender.send(request, { ...options, doing, explain });
    // Services may answer that an object is missing where the whole bucket is.
    if (answer !== undefined) this.noteThere();
    return answer;
  }

  /** Converts an error that the SDK threw while `doing` something to one of the store. */
  explain(error: unknown, doing: string): FeedSyncError {
    const names = { url: this.url, service: this.#service };
    return s3Error(error, { ...names, wasThere: this.#wasThere }, doing);
  }
}
