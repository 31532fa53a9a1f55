/**
 * Where credentials come from: the configuration, a file, or what the AWS SDK finds (environment,
 * shared files and profiles, SSO, web identity, containers, instance metadata); and the role that is
 * assumed with them.
 *
 * @module
 */
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import type { S3Config } from "../../config/s3.ts";
import { CredentialsError } from "./answers.ts";

/** Fetches credentials; with `forceRefresh` it does so anew. */
export type CredentialsProvider = ReturnType<typeof fromNodeProviderChain>;
/** Credentials, and until when they are valid. */
export type Credentials = Awaited<ReturnType<CredentialsProvider>>;
/** What requests for credentials are sent with. */
export type RequestHandler = S3ClientConfig["requestHandler"];

/** The credentials for a client; they are fetched when the first request needs them. */
export function credentialsFor(
  config: S3Config,
  handler: RequestHandler,
): Credentials | CredentialsProvider {
  const { assumeRole } = config;
  const found = givenCredentials(config) ?? keptByItself(foundCredentials(config, handler));
  if (!assumeRole) return found;
  return explained(`assuming the role ${assumeRole.roleArn}`, async () => {
    const { roleCredentials } = await import("./role.ts");
    return roleCredentials(found, { ...config, assumeRole, handler });
  });
}

/** Whether the configuration gives keys: then there is nothing to fetch anew. */
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
  // Files are read anew whenever credentials are, since other programs renew what is in them.
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
 * A provider that is made, and what it stands on loaded, when it is first used; and tells what it was
 * `doing` when it fails.
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

/** The SDK asks before each request then, in place of keeping for good what does not expire. */
function keptByItself(provider: CredentialsProvider): CredentialsProvider {
  return Object.assign(provider, { memoized: true });
}
