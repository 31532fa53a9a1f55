/**
 * Credentials from a file that another program renews. It is read again when it has changed.
 *
 * Two formats are supported, since programs write both: the shared credentials file of AWS
 * (profiles; `aws`, Vault, saml2aws …), and the JSON that a `credential_process` prints, which
 * includes the expiry time (`aws configure export-credentials`, IAM Roles Anywhere …).
 *
 * @module
 */
import { fromIni, type fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { messageOf } from "../../errors.ts";
import { fileVersion } from "../../base/file_version.ts";

/** Options for reading profiles in the file. */
export type ProfileOptions = NonNullable<Parameters<typeof fromIni>[0]>;

type CredentialsProvider = ReturnType<typeof fromNodeProviderChain>;
type Credentials = Awaited<ReturnType<CredentialsProvider>>;

/** The file holds no usable credentials. */
class CredentialsFileError extends Error {
  override name = "CredentialsFileError";
}

interface Kept {
  readonly version: string;
  readonly credentials: Credentials;
}

/** Provides the credentials in the file at `path`, and reads it again when it has changed. */
export function fileCredentials(path: string, options: ProfileOptions): CredentialsProvider {
  const readProfile = fromIni({ ...options, filepath: path });
  let kept: Kept | undefined;
  return async (request) => {
    try {
      const version = fileVersion(await Deno.stat(path));
      if (version !== kept?.version || request?.forceRefresh || isExpired(kept.credentials)) {
        const text = await Deno.readTextFile(path);
        const credentials = /^\s*\{/.test(text) ? parseJson(text) : await readProfile(request);
        kept = { version, credentials };
      }
    } catch (error) {
      // The file may be incomplete because another program is writing it.
      if (!kept || request?.forceRefresh || isExpired(kept.credentials)) {
        throw new CredentialsFileError(`${path}: ${messageOf(error)}`);
      }
    }
    return kept.credentials;
  };
}

function isExpired({ expiration }: Credentials): boolean {
  return expiration !== undefined && expiration.getTime() <= Date.now();
}

function parseJson(text: string): Credentials {
  const { Version, AccessKeyId, SecretAccessKey, SessionToken, Expiration } = readJson(text);
  if (Version !== 1) throw new Error("'Version' must be 1");
  if (!isText(AccessKeyId) || !isText(SecretAccessKey)) {
    throw new Error("'AccessKeyId' and 'SecretAccessKey' must be texts");
  }
  if (SessionToken !== undefined && !isText(SessionToken)) {
    throw new Error("'SessionToken' must be a text");
  }
  const expiration = Expiration === undefined ? undefined : new Date(String(Expiration));
  if (Number.isNaN(expiration?.getTime())) throw new Error("'Expiration' must be a time");
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration,
  };
}

function readJson(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    // The error of the parser would quote the secret.
    throw new Error("it starts like JSON but cannot be parsed");
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
