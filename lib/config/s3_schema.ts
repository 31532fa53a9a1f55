/**
 * The rules of the `s3` keys.
 *
 * @module
 */
import { z } from "zod";
import { duration, endpoint, key, text } from "./rules.ts";
import { ASSUME_ROLE_DEFAULTS } from "./defaults.ts";

/** The rules of `s3.assumeRole`. */
export const assumeRole = z.strictObject({
  roleArn: key(text, "ARN of the role"),
  externalId: key(text, "What the owner of the role wants to be told"),
  sessionName: key(
    z.string().regex(/^[\w+=,.@-]{2,64}$/, {
      error: "must be 2 to 64 letters, digits and any of _+=,.@-",
    }),
    "Names the session in the logs of the service; feedsync-<server> unless given",
  ),
  duration: key(
    duration({ min: "15m", max: "12h" }),
    "How long credentials of the role are valid; they are renewed in time",
    ASSUME_ROLE_DEFAULTS.duration,
  ),
  endpoint: key(endpoint, "URL of the token service; AWS has its own, others have it with S3"),
});

/** The rules of `s3`. */
export const s3 = z.strictObject({
  endpoint: key(endpoint, "URL of the service; needed for everything but AWS"),
  region: key(text, "Region"),
  accessKeyId: key(text, "Access key"),
  secretAccessKey: key(text, "Secret of the access key; better kept in the environment"),
  sessionToken: key(text, "Token of temporary credentials"),
  profile: key(text, "Profile in the AWS configuration files, or in credentialsFile"),
  credentialsFile: key(
    text,
    "File with credentials, as ~/.aws/credentials or as JSON; read again when it changes",
  ),
  assumeRole: key(assumeRole, "Role to assume with the credentials that are found"),
  forcePathStyle: key(z.boolean(), "https://host/bucket; the default when an endpoint is given"),
  serverSideEncryption: key(
    z.enum(["AES256", "aws:kms"]),
    "How the service encrypts what it stores; the bucket's own setting unless given",
  ),
  kmsKeyId: key(text, "Key of aws:kms; the account's own unless given"),
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
    "Who may do what with objects that are written",
  ),
});
