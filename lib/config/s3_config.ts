/**
 * The part of the configuration that is about S3-compatible stores.
 *
 * @module
 */
import type { Duration } from "./config.ts";

/** A role that is assumed with the credentials that are found: only its rights count then. */
export interface AssumeRoleConfig {
  /** ARN of the role, `arn:aws:iam::<account>:role/<name>`. Needed. */
  readonly roleArn?: string | undefined;
  /** What the owner of the role wants to be told. */
  readonly externalId?: string | undefined;
  /** Names the session in the logs of the service. @default `feedsync-` and the server's name */
  readonly sessionName?: string | undefined;
  /** How long credentials of the role are valid, `"15m"` to `"12h"`. @default {"1h"} */
  readonly duration?: Duration | undefined;
  /** URL of the token service. @default AWS's, or `s3.endpoint` where that is of another service */
  readonly endpoint?: string | undefined;
}

/** Who may do what with objects, in the words of S3. */
export type CannedAcl =
  | "private"
  | "public-read"
  | "public-read-write"
  | "authenticated-read"
  | "aws-exec-read"
  | "bucket-owner-read"
  | "bucket-owner-full-control";

/** How to reach an S3-compatible store. What is absent is found as the AWS SDK finds it. */
export interface S3Config {
  /** URL of the service; needed for everything but AWS. */
  readonly endpoint?: string | undefined;
  /** Region. */
  readonly region?: string | undefined;
  /** Access key. */
  readonly accessKeyId?: string | undefined;
  /** Secret of the access key. Better kept in the environment than in a file. */
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
  /** Role to assume with the credentials that are found. */
  readonly assumeRole?: AssumeRoleConfig | undefined;
  /** `https://host/bucket` instead of `https://bucket.host`. @default {true} with an endpoint */
  readonly forcePathStyle?: boolean | undefined;
  /** How the service encrypts what it stores. @default the bucket's own setting */
  readonly serverSideEncryption?: "AES256" | "aws:kms" | undefined;
  /** Key of `aws:kms`. @default the account's own */
  readonly kmsKeyId?: string | undefined;
  /** Who may do what with objects that are written; a bucket that is created stays private. */
  readonly acl?: CannedAcl | undefined;
}
