/**
 * Makes the client of the AWS SDK for one store.
 *
 * @module
 */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { S3Config } from "../../config/s3.ts";
import { readVersion } from "../../base/version.ts";
import { ConfigError } from "../../errors.ts";
import { filterAnswers } from "./answer_filter.ts";
import { credentialsFor } from "./credentials.ts";
import { heedRefusals, MAX_ATTEMPTS } from "./retry_policy.ts";
import { serviceName } from "../store_identity.ts";

/** Region that most services other than AWS accept. */
const DEFAULT_REGION = "us-east-1";

/** Request handlers of a client. */
export interface Handlers {
  /** Sends requests to the store. */
  readonly handler: S3ClientConfig["requestHandler"];
  /** Sends requests for credentials. */
  readonly credentialsHandler: S3ClientConfig["requestHandler"];
}

/** A client, and the service it talks to. */
export interface ConnectedClient {
  /** The client. */
  readonly client: S3Client;
  /** URL of the service, where one is set. */
  readonly endpoint: string | undefined;
  /** Name of the service, for messages. */
  readonly service: string;
  /** Identifies the service, see `serviceName()`. */
  readonly identity: string;
}

let agent: Promise<[string, string][]> | undefined;

/** How clients introduce themselves. The SDK would ask the operating system about itself for each request. */
function userAgent(): Promise<[string, string][]> {
  return agent ??= readVersion().then((version) => [["feedsync", version]]);
}

/**
 * Makes a client. The SDK looks up everything that the configuration does not set.
 *
 * @throws {ConfigError} when the service cannot be determined.
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
    defaultUserAgentProvider: userAgent,
    // Several services refuse the checksums that the SDK adds by default.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  };
  // The addressing style must be set when a client is made, but depends on what the SDK finds.
  const { config: found } = new S3Client({ ...common, region: config.region });
  const endpoint = config.endpoint ?? await found.serviceConfiguredEndpoint?.();
  const region = await found.region().catch((cause) => {
    if (endpoint !== undefined) return DEFAULT_REGION;
    throw new ConfigError("Cannot find the bucket: set 's3.region' or 's3.endpoint'", {
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
