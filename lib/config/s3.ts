/**
 * The section `s3`: how an S3-compatible store is reached.
 *
 * @module
 */
import { resolve } from "node:path";
import * as z from "zod/mini";
import type { Duration } from "../base/duration.ts";
import { ConfigError } from "../errors.ts";
import { defined } from "./merge.ts";
import { duration, endpoint, key, missing, text } from "./rules.ts";

/** A role to assume with the credentials; then only the rights of the role count. */
export interface AssumeRoleConfig {
  /** ARN of the role, `arn:aws:iam::<account>:role/<name>`. Required. */
  readonly roleArn?: string | undefined;
  /** External ID that the role's owner requires. */
  readonly externalId?: string | undefined;
  /** Names the session in the logs of the service. @default `feedsync-` and the server's name */
  readonly sessionName?: string | undefined;
  /** How long credentials of the role are valid, `"15m"` to `"12h"`. @default {"1h"} */
  readonly duration?: Duration | undefined;
  /** URL of the token service. @default that of AWS, or `s3.endpoint` of another service */
  readonly endpoint?: string | undefined;
}

/** Access rights for objects, as S3 names them. */
export type CannedAcl =
  | "private"
  | "public-read"
  | "public-read-write"
  | "authenticated-read"
  | "aws-exec-read"
  | "bucket-owner-read"
  | "bucket-owner-full-control";

/** How to reach an S3-compatible store. The AWS SDK looks up missing values. */
export interface S3Config {
  /** URL of the service; required for everything but AWS. */
  readonly endpoint?: string | undefined;
  /** Region. */
  readonly region?: string | undefined;
  /** Access key. */
  readonly accessKeyId?: string | undefined;
  /** Secret of the access key. Prefer the environment to a file. */
  readonly secretAccessKey?: string | undefined;
  /** Token of temporary credentials. */
  readonly sessionToken?: string | undefined;
  /** Profile in the AWS configuration files, or in `credentialsFile`. */
  readonly profile?: string | undefined;
  /**
   * File with credentials, read again when it changes: in the form of `~/.aws/credentials`, or the
   * JSON that a `credential_process` prints (`{"Version":1,"AccessKeyId","SecretAccessKey",
   * "SessionToken","Expiration"}`).
   */
  readonly credentialsFile?: string | undefined;
  /** Role to assume with the credentials. */
  readonly assumeRole?: AssumeRoleConfig | undefined;
  /**
   * Use `https://host/bucket` instead of `https://bucket.host`. @default {true} with an endpoint
   */
  readonly forcePathStyle?: boolean | undefined;
  /** How the service encrypts objects. @default the setting of the bucket */
  readonly serverSideEncryption?: "AES256" | "aws:kms" | undefined;
  /** Key for `aws:kms`. @default the key of the account */
  readonly kmsKeyId?: string | undefined;
  /** Access rights for written objects; a created bucket stays private. */
  readonly acl?: CannedAcl | undefined;
}

/** Defaults of the keys in `s3.assumeRole`. */
export const ASSUME_ROLE_DEFAULTS = {
  duration: "1h",
} as const satisfies AssumeRoleConfig;

/**
 * Keys whose values must not appear in messages; a text in place of the section may be a secret,
 * too.
 */
export const S3_SECRETS = ["s3", "accessKeyId", "secretAccessKey", "sessionToken"] as const;

/** Maximum length of a session name in AWS. */
const MAX_SESSION_NAME_LENGTH = 64;

/** The rules of `s3.assumeRole`. */
export const assumeRoleRule = z.strictObject({
  roleArn: key(text, "ARN of the role"),
  externalId: key(text, "External ID that the role's owner requires"),
  sessionName: key(
    z.string().check(z.regex(/^[\w+=,.@-]{2,64}$/, {
      error: "must be 2 to 64 letters, digits and any of _+=,.@-",
    })),
    "Names the session in the logs of the service; feedsync-<server> unless given",
  ),
  duration: key(
    duration({ min: "15m", max: "12h" }),
    "How long credentials of the role are valid; they are renewed automatically",
    ASSUME_ROLE_DEFAULTS.duration,
  ),
  endpoint: key(
    endpoint,
    "URL of the token service; by default that of AWS, or the endpoint of S3",
  ),
});

/** The rules of `s3`. */
export const s3Rule = z.strictObject({
  endpoint: key(endpoint, "URL of the service; required for everything but AWS"),
  region: key(text, "Region"),
  accessKeyId: key(text, "Access key"),
  secretAccessKey: key(text, "Secret of the access key; prefer the environment to this file"),
  sessionToken: key(text, "Token of temporary credentials"),
  profile: key(text, "Profile in the AWS configuration files, or in credentialsFile"),
  credentialsFile: key(
    text,
    "File with credentials, like ~/.aws/credentials or in JSON; read again when it changes",
  ),
  assumeRole: key(assumeRoleRule, "Role to assume with the credentials"),
  forcePathStyle: key(z.boolean(), "Use https://host/bucket; the default when an endpoint is set"),
  serverSideEncryption: key(
    z.enum(["AES256", "aws:kms"]),
    "How the service encrypts objects; by default the setting of the bucket",
  ),
  kmsKeyId: key(text, "Key for aws:kms; by default the key of the account"),
  acl: key(
    z.enum([
      "private",
      "public-read",
      "public-read-write",
      "authenticated-read",
      "aws-exec-read",
      "bucket-owner-read",
      "bucket-owner-full-control",
    ]),
    "Access rights for written objects",
  ),
});

/**
 * Checks the keys together, once all sources of the configuration are merged.
 *
 * @throws {ConfigError} when a required key is missing, or two keys exclude each other.
 */
export function checkS3(s3: S3Config): void {
  const { accessKeyId, secretAccessKey, sessionToken, credentialsFile, assumeRole } = s3;
  if (accessKeyId !== undefined && secretAccessKey === undefined) {
    throw missing("s3.secretAccessKey", "'s3.accessKeyId' requires it");
  }
  if (accessKeyId === undefined && (secretAccessKey ?? sessionToken) !== undefined) {
    throw missing("s3.accessKeyId", "'s3.secretAccessKey' and 's3.sessionToken' require it");
  }
  if (accessKeyId !== undefined && credentialsFile !== undefined) {
    throw new ConfigError(
      "Cannot use the configuration: 's3.accessKeyId' and 's3.credentialsFile' exclude each " +
        "other; remove one",
    );
  }
  if (assumeRole && assumeRole.roleArn === undefined) {
    throw missing("s3.assumeRole.roleArn", "the other keys of 's3.assumeRole' require it");
  }
  if (s3.kmsKeyId !== undefined && s3.serverSideEncryption !== "aws:kms") {
    throw new ConfigError(
      "Cannot use the configuration: 's3.kmsKeyId' requires 's3.serverSideEncryption' to be " +
        '"aws:kms"',
    );
  }
}

/** A copy whose paths are absolute. */
export function absoluteS3(s3: S3Config, directory: string): S3Config {
  const { credentialsFile } = s3;
  if (credentialsFile === undefined) return s3;
  return { ...s3, credentialsFile: resolve(directory, credentialsFile) };
}

/** Fills in the session name of the role, from the name of the server. */
export function resolveS3(s3: S3Config = {}, server: string): S3Config {
  if (!s3.assumeRole) return s3;
  const sessionName = `feedsync-${server}`.slice(0, MAX_SESSION_NAME_LENGTH);
  return { ...s3, assumeRole: { sessionName, ...defined(s3.assumeRole) } };
}
