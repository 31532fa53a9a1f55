/**
 * What the `s3` keys need of each other.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { S3Config } from "./s3_config.ts";

/**
 * Checks what only the sources of the configuration together can tell.
 *
 * @throws {ConfigError} when a key lacks its companion, or excludes another.
 */
export function checkS3(s3: S3Config): void {
  const { accessKeyId, secretAccessKey, sessionToken, credentialsFile, assumeRole } = s3;
  if (accessKeyId !== undefined && secretAccessKey === undefined) {
    throw missing("s3.secretAccessKey", "'s3.accessKeyId' needs it");
  }
  if (accessKeyId === undefined && (secretAccessKey ?? sessionToken) !== undefined) {
    throw missing("s3.accessKeyId", "'s3.secretAccessKey' and 's3.sessionToken' need it");
  }
  if (accessKeyId !== undefined && credentialsFile !== undefined) {
    throw new ConfigError(
      "Cannot use the configuration: there are 's3.accessKeyId' and 's3.credentialsFile', which " +
        "one is meant?",
    );
  }
  if (assumeRole && assumeRole.roleArn === undefined) {
    throw missing("s3.assumeRole.roleArn", "the other keys of 's3.assumeRole' need it");
  }
  if (s3.kmsKeyId !== undefined && s3.serverSideEncryption !== "aws:kms") {
    throw new ConfigError(
      "Cannot use the configuration: 's3.kmsKeyId' needs 's3.serverSideEncryption' to be \"aws:kms\"",
    );
  }
}

/** The error for a key that is needed. */
export function missing(key: string, reason: string): ConfigError {
  return new ConfigError(`Cannot use the configuration: '${key}' is missing, ${reason}`);
}
