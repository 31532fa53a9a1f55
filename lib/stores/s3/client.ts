/**
 * Makes the client of the AWS SDK for one store.
 *
 * @module
 */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { S3Config } from "../../config/s3.ts";
import { ConfigError } from "../../errors.ts";
import { filterAnswers } from "./answer_filter.ts";
import { credentialsFor } from "./credentials.ts";
import { heedRefusals, MAX_ATTEMPTS } from "./retry_policy.ts";
import { serviceName } from "../store_identity.ts";

/** What most services other than AWS take for a region. */
const DEFAULT_REGION = "us-east-1";

/** What a client sends its requests with. */
export interface Handlers {
  /** To the store. */
  readonly handler: S3ClientConfig["requestHandler"];
  /** To where credentials come from. */
  readonly credentialsHandler: S3ClientConfig["requestHandler"];
}

/** A client, and the service it talks to. */
export interface ConnectedClient {
  /** The client. */
  readonly client: S3Client;
  /** URL of the service, where one is set. */
  readonly endpoint: string | undefined;
  /** Names the service in messages. */
  readonly service: string;
  /** Tells it from others: whatever its endpoint is called in messages. */
  readonly identity: string;
}

/**
 * Makes a client. What the configuration does not give is found as the SDK finds it.
 *
 * @throws {ConfigError} when it is not known which service to talk to.
 */
export async function createClient(
  config: S3Config,
  { handler, credentialsHandler }: Handlers,
): Promise<ConnectedClient> {
  const { profile, forcePathStyle } = config;
  const common: S3ClientConfig = {
    profile,
    requestHandler: handler,
    credentials: credentialsFor(config, credentialsHandler),
    maxAttempts: MAX_ATTEMPTS,
    // The checksums that the SDK adds otherwise are refused by several services.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  };
  // The addressing style must be known when a client is made, but depends on what the SDK finds.
  const { config: found } = new S3Client({ ...common, region: config.region });
  const endpoint = config.endpoint ?? await found.serviceConfiguredEndpoint?.();
  const region = await found.region().catch((cause) => {
    if (endpoint !== undefined) return DEFAULT_REGION;
    throw new ConfigError("Cannot tell where the bucket is, set 's3.region' or 's3.endpoint'", {
      cause,
    });
  });
  const usePathStyle = forcePathStyle ?? endpoint !== undefined;
  const client = new S3Client({ ...common, endpoint, region, forcePathStyle: usePathStyle });
  filterAnswers(client);
  await heedRefusals(client);
  return {
    client,
    endpoint,
    service: endpoint ?? `AWS in ${region}`,
    identity: serviceName(endpoint, region),
  };
}
