/**
 * Provides credentials from the configuration, from a file, or from the sources of the AWS SDK
 * (environment, shared files and profiles, SSO, web identity, containers, instance metadata), and
 * assumes a role with them.
 *
 * @module
 */
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import type { S3Config } from "../../config/s3.ts";
import { CredentialsError } from "./answers.ts";

/** Fetches credentials; with `forceRefresh` it fetches them again. */
export type CredentialsProvider = ReturnType<typeof fromNodeProviderChain>;
/** Credentials, and until when they are valid. */
export type Credentials = Awaited<ReturnType<CredentialsProvider>>;
/** Sends requests for credentials. */
export type RequestHandler = S3ClientConfig["requestHandler"];

/** The credentials for a client; they are fetched when the first request needs them. */
export function credentialsFor(
  config: S3Config,
  handler: RequestHandler,
): Credentials | CredentialsProvider {
  const { assumeRole } = config;
  const found = givenCredentials(config) ?? memoized(foundCredentials(config, handler));
  if (!assumeRole) return found;
  return explained(`assuming the role ${assumeRole.roleArn}`, async () => {
    const { roleCredentials } = await import("./role.ts");
    return roleCredentials(found, { ...config, assumeRole, handler });
  });
}

/** Whether the configuration sets the keys, so that they cannot be renewed. */
export function areFixed({ accessKeyId, assumeRole }: S3Config): boolean {
  return accessKeyId !== undefined && assumeRole === undefined;
}

function givenCredentials(
  { accessKeyId, secretAccessKey, sessionToken }: S3Config,
): Credentials | undefined {
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken };
}

function foundCredentials(
  { profile, credentialsFile }: S3Config,
  handler: RequestHandler,
): CredentialsProvider {
  // Files are read again with the credentials, since other programs update them.
  const options = { profile, ignoreCache: true, clientConfig: { requestHandler: handler } };
  return explained("fetching credentials", async () => {
    if (credentialsFile !== undefined) {
      const { fileCredentials } = await import("./credentials_file.ts");
      return fileCredentials(credentialsFile, options);
    }
    const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
    return fromNodeProviderChain(options);
  });
}

/**
 * Makes a provider at its first use, so that its dependencies load only then. Its errors say what
 * it was `doing`.
 */
function explained(doing: string, make: () => Promise<CredentialsProvider>): CredentialsProvider {
  let made: Promise<CredentialsProvider> | undefined;
  return async (options) => {
    try {
      return await (await (made ??= make()))(options);
    } catch (cause) {
      throw cause instanceof CredentialsError ? cause : new CredentialsError(doing, cause);
    }
  };
}

/**
 * Marks a provider as memoized: the SDK then calls it before each request, and does not keep
 * credentials for ever.
 */
function memoized(provider: CredentialsProvider): CredentialsProvider {
  return Object.assign(provider, { memoized: true });
}
