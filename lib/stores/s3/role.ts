/**
 * Credentials of a role, from a token service (STS).
 *
 * @module
 */
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import {
  type fromNodeProviderChain,
  fromTemporaryCredentials,
} from "@aws-sdk/credential-providers";
import { ASSUME_ROLE_DEFAULTS, type AssumeRoleConfig, type S3Config } from "../../config/s3.ts";
import { parseDuration } from "../../base/duration.ts";

type TemporaryCredentials = Parameters<typeof fromTemporaryCredentials>[0];
type CredentialsProvider = ReturnType<typeof fromNodeProviderChain>;

/** Options of {@linkcode roleCredentials}. */
export interface RoleOptions extends S3Config {
  /** The role. */
  readonly assumeRole: AssumeRoleConfig;
  /** Sends requests to the token service. */
  readonly handler: S3ClientConfig["requestHandler"];
}

/** Provides the credentials of a role, which it assumes with the credentials `found`. */
export function roleCredentials(
  found: TemporaryCredentials["masterCredentials"],
  { endpoint, assumeRole, handler }: RoleOptions,
): CredentialsProvider {
  const { roleArn = "", externalId, sessionName, duration } = assumeRole;
  const assume = fromTemporaryCredentials({
    masterCredentials: found,
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      ExternalId: externalId,
      DurationSeconds: parseDuration(duration ?? ASSUME_ROLE_DEFAULTS.duration) / 1000,
    },
    clientConfig: {
      endpoint: assumeRole.endpoint ?? (isOfAws(endpoint) ? undefined : endpoint),
      requestHandler: handler,
    },
  });
  return async (options) => {
    if (options?.forceRefresh && typeof found === "function") await found(options);
    return await assume(options);
  };
}

/**
 * Whether the endpoint is AWS, which has separate token services; Ceph and MinIO use the URL of S3.
 */
function isOfAws(endpoint: string | undefined): boolean {
  return endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}
